// A disk image in few bytes, so that seeds from mkfs are small and a fuzzer's changes fall on what is in use: the number of 1 KiB blocks (u16,
// little-endian), then records of a block number (u16) and that block's 1024 bytes. What is not named is zero. Written by fuzz/make_ext4_seeds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "core/bytes.h"
#include "image/block_source.h"

namespace icecore::fuzz {

class SparseImage final : public image::BlockSource {
 public:
  static constexpr std::size_t kBlock = 1024, kMaximumBlocks = 8192;

  SparseImage(const std::uint8_t* data, std::size_t size) {
    const ByteView in = std::as_bytes(std::span(data, size));
    if (in.size() < 2) return;
    bytes_.resize(std::min<std::size_t>(load_le<std::uint16_t>(in, 0), kMaximumBlocks) * kBlock);
    for (std::size_t at = 2; at + 2 < in.size();) {
      const std::size_t to = std::size_t{load_le<std::uint16_t>(in, at)} * kBlock;
      const ByteView content = in.subspan(at + 2, std::min(kBlock, in.size() - at - 2));
      if (to < bytes_.size()) std::ranges::copy(content, bytes_.begin() + static_cast<std::ptrdiff_t>(to));
      at += 2 + kBlock;
    }
  }

  std::uint64_t size() const override { return bytes_.size(); }
  std::string name() const override { return "fuzz"; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(image::check_range(offset, out.size(), size(), name()));
    std::ranges::copy(ByteView(bytes_).subspan(static_cast<std::size_t>(offset), out.size()), out.begin());
    return {};
  }

 private:
  Bytes bytes_;
};

}  // namespace icecore::fuzz
