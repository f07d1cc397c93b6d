// A snapshot in memory that behaves as the EBS direct APIs do, and misbehaves on request: slow, out of order, wrong bodies, refused tokens, short
// and empty pages. Content is a function of the index, so that a forked child and its parent agree on it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "image/block_store.h"

namespace icecore::image::test {

/// What block `index` of the snapshot with this seed holds.
inline void fill_block(std::uint64_t seed, std::uint64_t index, std::span<std::byte> out) {
  std::uint64_t state = (seed + 1) * 0x9E3779B97F4A7C15 ^ (index + 1) * 0xD1B54A32D192ED03;
  for (std::size_t i = 0; i + 8 <= out.size(); i += 8) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    std::memcpy(out.data() + i, &state, 8);
  }
}

class FakeStore : public BlockStore {
 public:
  struct Options {
    std::uint64_t seed = 1;
    std::uint64_t blocks = 64;                                   ///< of the volume
    std::set<std::uint64_t> written;                             ///< the listed ones
    std::size_t page = 10'000;                                   ///< blocks a page
    double empty_pages = 0, wrong_bodies = 0, stale_tokens = 0;  ///< probabilities
    int delay_us = 0;                                            ///< of a get; with jitter, so that answers come out of order
    std::atomic<std::uint32_t>* counts = nullptr;                ///< per block, gets that were answered; may be shared memory
  };
  explicit FakeStore(Options options) : options_(std::move(options)) {}

  std::string id() const override { return "snap-0fake" + std::to_string(options_.seed); }
  std::uint64_t volume_size() const override { return options_.blocks * kBlockSize; }

  Result<BlockPage> list(std::uint64_t from, const std::optional<std::string>& page) override {
    ++lists;
    if (page) from = std::stoull(*page);
    BlockPage result;
    const std::size_t limit = chance(options_.empty_pages) ? 0 : options_.page;
    auto at = options_.written.lower_bound(from);
    for (; at != options_.written.end() && result.blocks.size() < limit; ++at) result.blocks.push_back({*at, token(*at)});
    if (at != options_.written.end()) result.next_page = std::to_string(*at);
    if (list_fault) ICECORE_CHECK(list_fault(from));
    return result;
  }

  Result<BlockAnswer> get(std::uint64_t index, const std::string& given, std::span<std::byte> out) override {
    ++gets;
    if (options_.delay_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(static_cast<int>(options_.delay_us * 2 * draw())));
    if (get_fault) ICECORE_CHECK(get_fault(index));
    const auto refusal = [] { return fail(Code::kConflict, "ValidationException: INVALID_BLOCK_TOKEN"); };
    if (given != token(index)) return refusal();
    if (chance(options_.stale_tokens)) {
      ++epoch;  // all tokens given so far are void
      return refusal();
    }
    if (!options_.written.contains(index)) return fail(Code::kRemote, "no such block");
    fill_block(options_.seed, index, out);
    BlockAnswer answer{sha256(out), "request-" + std::to_string(index)};
    if (chance(options_.wrong_bodies)) out[static_cast<std::size_t>(draw() * static_cast<double>(out.size()))] ^= std::byte{1};
    if (options_.counts != nullptr) ++options_.counts[index];
    return answer;
  }

  /// All bytes of the volume from `offset`.
  Bytes truth(std::uint64_t offset, std::uint64_t length) const {
    Bytes bytes(length);
    Bytes block(kBlockSize);
    for (std::uint64_t index = offset / kBlockSize; index * kBlockSize < offset + length; ++index) {
      if (!options_.written.contains(index)) continue;
      fill_block(options_.seed, index, block);
      const std::uint64_t begin = std::max(offset, index * kBlockSize);
      const std::uint64_t end = std::min(offset + length, (index + 1) * kBlockSize);
      std::memcpy(bytes.data() + (begin - offset), block.data() + (begin - index * kBlockSize), end - begin);
    }
    return bytes;
  }

  const Options& options() const { return options_; }
  std::atomic<std::uint64_t> gets{0}, lists{0}, epoch{0};
  std::function<Result<void>(std::uint64_t)> get_fault, list_fault;

 private:
  std::string token(std::uint64_t index) const { return "AAE" + std::to_string(epoch) + "+/" + std::to_string(index) + "="; }
  double draw() {
    thread_local std::mt19937_64 engine{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(engine);
  }
  bool chance(double probability) { return probability > 0 && draw() < probability; }

  const Options options_;
};

/// Every third block and a dense stretch, so that there are holes of all lengths.
inline std::set<std::uint64_t> scattered(std::uint64_t blocks) {
  std::set<std::uint64_t> written;
  for (std::uint64_t index = 0; index < blocks; ++index)
    if (index % 3 == 0 || (index > blocks / 2 && index < blocks / 2 + blocks / 8)) written.insert(index);
  return written;
}

}  // namespace icecore::image::test
