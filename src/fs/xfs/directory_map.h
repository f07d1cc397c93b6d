// Where a directory's data blocks lie: extents cut into directory blocks, which can be larger than filesystem blocks and in several pieces.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fs/xfs/extent_map.h"

namespace icecore::fs::xfs {

struct DirectoryBlock {
  std::uint64_t directory = 0;
  std::uint64_t index = 0;  ///< in directory blocks from the directory's start
  std::vector<Mapping> pieces;

  std::uint64_t fs_block() const { return pieces.front().fs_block; }
};

/// Calls `sink` for each whole data block of a directory, ascending, until it returns false. Hash and free-index blocks (beyond 32 GiB) are left
/// out; blocks with a piece missing are given to it with an empty `pieces`.
void for_each_directory_block(const Superblock& super, std::uint64_t directory, std::span<const Mapping> mappings,
                              const std::function<bool(DirectoryBlock&&)>& sink);

/// The bytes of one.
Result<void> read_directory_block(const Reader& reader, const DirectoryBlock& block, Bytes& out);

}  // namespace icecore::fs::xfs
