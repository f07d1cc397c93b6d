// A disk in memory that counts what is read from it, and the two ways in which seeds write one in few bytes: mkfs makes nearly nothing but zeros, and
// a fuzzer's changes are to fall on what is in use.
#pragma once

#include <algorithm>
#include <list>
#include <memory>
#include <string>

#include "budget.h"
#include "core/bytes.h"
#include "image/block_source.h"

namespace icecore::fuzz {

class MemoryDisk final : public image::BlockSource {
 public:
  /// `bytes` were made while they were not counted.
  explicit MemoryDisk(Bytes bytes) : bytes_(std::move(bytes)) {}
  ~MemoryDisk() override {
    const NotCounted own;
    Bytes().swap(bytes_);
  }

  std::span<std::byte> bytes() { return bytes_; }
  std::uint64_t size() const override { return bytes_.size(); }
  std::string name() const override { return "fuzz"; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(image::check_range(offset, out.size(), size(), name()));
    count_read(out.size());
    std::ranges::copy(ByteView(bytes_).subspan(static_cast<std::size_t>(offset), out.size()), out.begin());
    return {};
  }

 private:
  Bytes bytes_;
};

inline std::shared_ptr<MemoryDisk> disk_of(ByteView bytes) {
  const NotCounted own;
  return std::make_shared<MemoryDisk>(Bytes(bytes.begin(), bytes.end()));
}

inline std::shared_ptr<MemoryDisk> empty_disk(std::size_t size) {
  const NotCounted own;
  return std::make_shared<MemoryDisk>(Bytes(size));
}

/// Zeros, but for views into the input; a later piece covers an earlier one. Terabytes cost nothing.
class SparseDisk final : public image::BlockSource {
 public:
  struct Piece {
    std::uint64_t offset = 0;
    ByteView bytes;
  };
  /// Made, like covers, while what is allocated is not counted.
  SparseDisk(std::uint64_t size, std::vector<Piece> pieces) : size_(size), pieces_(std::move(pieces)) {}
  ~SparseDisk() override {
    const NotCounted own;
    pieces_ = {};
    covers_ = {};
  }
  std::uint64_t size() const override { return size_; }
  std::string name() const override { return "fuzz"; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(image::check_range(offset, out.size(), size_, name()));
    count_read(out.size());
    copy(offset, out);
    return {};
  }
  /// Past the counting and the disk's end.
  void copy(std::uint64_t offset, std::span<std::byte> out) const {
    std::ranges::fill(out, std::byte{0});
    for (const Piece& piece : pieces_) {
      const std::uint64_t begin = std::max(piece.offset, offset), end = std::min(piece.offset + piece.bytes.size(), offset + out.size());
      if (begin < end)
        std::ranges::copy(piece.bytes.subspan(static_cast<std::size_t>(begin - piece.offset), static_cast<std::size_t>(end - begin)),
                          out.begin() + static_cast<std::ptrdiff_t>(begin - offset));
    }
  }
  std::span<const Piece> pieces() const { return pieces_; }
  /// Bytes that outlive the disk.
  void cover(std::uint64_t offset, ByteView bytes) { pieces_.push_back({offset, bytes}); }
  void cover(std::uint64_t offset, std::uint32_t little_endian) {
    Bytes& bytes = covers_.emplace_back(4);
    store_le(std::span(bytes), 0, little_endian);
    pieces_.push_back({offset, bytes});
  }

 private:
  std::uint64_t size_;
  std::vector<Piece> pieces_;
  std::list<Bytes> covers_;
};

/// The number of 1 KiB blocks (u16, little-endian), then records of a block number (u16) and that block's 1024 bytes. At most 8 MiB. The disk keeps
/// views of `in`.
inline std::shared_ptr<SparseDisk> disk_of_blocks(ByteView in) {
  constexpr std::size_t kBlock = 1024, kMaximumBlocks = 8192;
  const NotCounted own;
  const std::uint64_t size = in.size() < 2 ? 0 : std::min<std::uint64_t>(load_le<std::uint16_t>(in, 0), kMaximumBlocks) * kBlock;
  std::vector<SparseDisk::Piece> pieces;
  for (std::size_t at = 2; at + 2 < in.size(); at += 2 + kBlock) {
    const std::uint64_t to = std::uint64_t{load_le<std::uint16_t>(in, at)} * kBlock;
    if (to < size) pieces.push_back({to, in.subspan(at + 2, std::min(kBlock, in.size() - at - 2))});
  }
  return std::make_shared<SparseDisk>(size, std::move(pieces));
}

/// The disk's size in bytes (u64), then pieces: offset (u64), length (u32), bytes; all little-endian. The disk keeps views of `in`.
inline std::shared_ptr<SparseDisk> disk_of_pieces(ByteView in, std::uint64_t most_bytes = std::uint64_t{64} << 20) {
  const NotCounted own;
  const std::uint64_t size = in.size() < 8 ? 0 : std::min(load_le<std::uint64_t>(in, 0), most_bytes);
  std::vector<SparseDisk::Piece> pieces;
  for (std::size_t at = 8; at + 12 < in.size();) {
    const auto to = load_le<std::uint64_t>(in, at);
    const std::size_t length = std::min<std::size_t>(load_le<std::uint32_t>(in, at + 8), in.size() - at - 12);
    if (to < size) pieces.push_back({to, in.subspan(at + 12, length)});
    at += 12 + length;
  }
  return std::make_shared<SparseDisk>(size, std::move(pieces));
}

inline ByteView view_of(const std::uint8_t* data, std::size_t size) { return std::as_bytes(std::span(data, size)); }

}  // namespace icecore::fuzz
