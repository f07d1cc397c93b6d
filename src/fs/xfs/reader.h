// A source and its superblock, handed to everything that reads: where to find blocks, and how errors name them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fs/xfs/superblock.h"
#include "image/block_source.h"

namespace icecore::fs::xfs {

/// Thread-safe; cheap to copy.
struct Reader {
  image::SourcePtr source;
  Superblock super;

  Location at(std::uint64_t offset, std::optional<std::uint64_t> inode = std::nullopt) const { return {source->name(), offset, inode}; }

  Result<Bytes> bytes(std::uint64_t offset, std::size_t length) const {
    Bytes out(length);
    ICECORE_CHECK(source->read(offset, out));
    return out;
  }

  /// `count` filesystem blocks; kCorrupt where they are not all inside one allocation group.
  Result<Bytes> blocks(std::uint64_t fs_block, std::uint32_t count = 1) const;

  /// One round for many filesystem blocks, each `blocks_each` long. Those outside of the filesystem are left out.
  Result<void> prefetch_blocks(std::span<const std::uint64_t> fs_blocks, std::uint32_t blocks_each = 1) const;
};

}  // namespace icecore::fs::xfs
