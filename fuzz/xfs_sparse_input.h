// Disk images as fuzz inputs: mkfs makes them of hundreds of MiB, nearly all zeros. An input is the disk's size in bytes (u64), then pieces: offset
// (u64), length (u32), bytes; all little-endian. tools/xfs_fuzz_seed.py makes seeds from images.
#pragma once

#include <algorithm>
#include <cstring>

#include "image/block_source.h"

namespace icecore::fuzz {

class SparseInput final : public image::BlockSource {
 public:
  static constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;

  SparseInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input = std::as_bytes(std::span(data, size));
    if (input.size() < 8) return;
    disk_.resize(static_cast<std::size_t>(std::min(load_le<std::uint64_t>(input, 0), kMostBytes)));
    for (std::size_t at = 8; input.size() - at > 12;) {
      const auto offset = load_le<std::uint64_t>(input, at);
      const std::size_t length = std::min<std::size_t>(load_le<std::uint32_t>(input, at + 8), input.size() - at - 12);
      if (offset < disk_.size())
        std::memcpy(disk_.data() + offset, input.data() + at + 12, std::min<std::size_t>(length, disk_.size() - static_cast<std::size_t>(offset)));
      at += 12 + length;
    }
  }

  std::span<std::byte> bytes() { return disk_; }
  std::uint64_t size() const override { return disk_.size(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(image::check_range(offset, out.size(), disk_.size(), name()));
    if (!out.empty()) std::memcpy(out.data(), disk_.data() + offset, out.size());
    return {};
  }
  std::string name() const override { return "fuzz"; }

 private:
  Bytes disk_;
};

}  // namespace icecore::fuzz
