// From a file's blocks to the disk's: extent trees and the indirect maps of ext2/3.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fs/ext4/disk.h"

namespace icecore::fs::ext4 {

/// Blocks [logical, logical + length) of the file lie at [physical, …).
struct Run {
  std::uint64_t logical = 0, physical = 0, length = 0;
  bool unwritten = false;
};

struct BlockMap {
  std::vector<Run> runs;           ///< ascending, not overlapping, neighbours merged; what is between is a hole
  std::optional<Error> damage;     ///< why the map ends early; everything before `known` is right
  std::uint64_t known = 0;         ///< logical blocks below this were mapped (or are holes); meaningful with damage
  std::uint64_t index_blocks = 0;  ///< read to make the map
};

/// The map of logical blocks [first, last). Reads only the index blocks that this needs. Loops, cross-links and disorder end it as damage: every
/// index block is read at most once, and the runs are no more than the entries read.
BlockMap map_blocks(const Disk& disk, const InodeView& inode, std::uint64_t first, std::uint64_t last);

/// The index blocks that the inode itself points to, for one prefetch of many inodes' maps.
void append_index_blocks(const Disk& disk, const InodeView& inode, std::vector<image::ByteRange>& ranges);

}  // namespace icecore::fs::ext4
