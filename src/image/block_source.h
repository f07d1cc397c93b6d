// The one abstraction of everything that can be read like a disk: files, memory, snapshots filled on demand, partitions, logical volumes. Sources
// stack.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/bytes.h"
#include "core/result.h"

namespace icecore::image {

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool operator==(const ByteRange&) const = default;
};

/// A read-only disk of bytes. All functions are thread-safe.
class BlockSource {
 public:
  virtual ~BlockSource() = default;

  /// Bytes in it; fixed for the life of the source.
  virtual std::uint64_t size() const = 0;

  /// Fills `out` from `offset`. The whole range lies inside, or it is kCorrupt ("beyond the end"). kIntegrity if a block's hash is wrong; kNetwork,
  /// kIo.
  virtual Result<void> read(std::uint64_t offset, std::span<std::byte> out) const = 0;

  /// Says what will be read next, as one round: a source that has to fetch does so side by side and returns when all of it is there. Ranges may
  /// touch, overlap and reach beyond the end. Local sources do nothing.
  virtual Result<void> prefetch(std::span<const ByteRange> ranges) const {
    (void)ranges;
    return {};
  }

  /// What messages call it: a snapshot id, a path, `snap-… partition 1`.
  virtual std::string name() const = 0;

  /// Where the byte at `offset` lies in the volume's image (slices add their start). For provenance.
  virtual std::uint64_t image_offset(std::uint64_t offset) const { return offset; }

  /// The disk on which the byte at `offset` lies, for sources made of several (its image is what image_offset() counts in); null where it lies on
  /// none.
  virtual const BlockSource* disk_at(std::uint64_t offset) const {
    (void)offset;
    return this;
  }
};

using SourcePtr = std::shared_ptr<const BlockSource>;

/// Fails as `read` must where [offset, offset+length) is not inside `size`.
Result<void> check_range(std::uint64_t offset, std::uint64_t length, std::uint64_t size, const std::string& name);

}  // namespace icecore::image
