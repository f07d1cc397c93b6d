// One bit a block: for 64 TiB, the largest EBS volume, 16 MiB.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace icecore::image {

/// Not thread-safe.
class Bitmap {
 public:
  explicit Bitmap(std::uint64_t size) : size_(size), words_((size + 63) / 64) {}

  std::uint64_t size() const { return size_; }
  bool test(std::uint64_t bit) const { return (words_[bit / 64] >> (bit % 64) & 1U) != 0; }
  /// Gives whether it was clear.
  bool set(std::uint64_t bit);
  void clear(std::uint64_t bit) { words_[bit / 64] &= ~(std::uint64_t{1} << (bit % 64)); }
  void set_range(std::uint64_t first, std::uint64_t end);
  std::uint64_t count() const;
  std::span<std::uint64_t> words() { return words_; }
  std::span<const std::uint64_t> words() const { return words_; }

 private:
  std::uint64_t size_;
  std::vector<std::uint64_t> words_;
};

/// Thread-safe. A set bit publishes what was written before it was set.
class AtomicBitmap {
 public:
  explicit AtomicBitmap(std::uint64_t size) : words_(std::make_unique<std::atomic<std::uint64_t>[]>((size + 63) / 64)) {}

  bool test(std::uint64_t bit) const { return (words_[bit / 64].load(std::memory_order_acquire) >> (bit % 64) & 1U) != 0; }
  void set(std::uint64_t bit) { words_[bit / 64].fetch_or(mask(bit), std::memory_order_release); }
  void clear(std::uint64_t bit) { words_[bit / 64].fetch_and(~mask(bit), std::memory_order_release); }
  void set_word(std::uint64_t index, std::uint64_t bits) { words_[index].fetch_or(bits, std::memory_order_release); }

 private:
  static std::uint64_t mask(std::uint64_t bit) { return std::uint64_t{1} << (bit % 64); }
  std::unique_ptr<std::atomic<std::uint64_t>[]> words_;
};

}  // namespace icecore::image
