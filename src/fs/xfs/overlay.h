// A disk with changed sectors laid over it: what the log's replay would have written.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "image/block_source.h"

namespace icecore::fs::xfs {

inline constexpr std::size_t kSector = 512;

/// Takes writes and shows the disk as it is after them. Not thread-safe. Memory: 540 bytes a sector, up to a limit.
class Overlay {
 public:
  Overlay(image::SourcePtr base, std::size_t most_sectors) : base_(std::move(base)), most_sectors_(most_sectors) {}

  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const;
  /// kUnsupported when the limit is reached.
  Result<void> write(std::uint64_t offset, ByteView bytes);
  /// True once a write made a byte differ from what was there.
  bool changed() const { return changed_; }

  /// The result as a source; the overlay is spent.
  image::SourcePtr finish();

 private:
  using SectorBytes = std::array<std::byte, kSector>;
  image::SourcePtr base_;
  std::size_t most_sectors_;
  std::unordered_map<std::uint64_t, SectorBytes> sectors_;
  bool changed_ = false;
};

}  // namespace icecore::fs::xfs
