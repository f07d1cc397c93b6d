// The extent tree: up to five levels of index blocks over runs. fs/ext4/ext4_extents.h.
#pragma once

#include "fs/ext4/block_map.h"

namespace icecore::fs::ext4 {

struct ExtentHeader {
  std::uint16_t magic, entries, maximum, depth;
  static ExtentHeader decode(ByteView node) {
    return {load_le<std::uint16_t>(node, 0), load_le<std::uint16_t>(node, 2), load_le<std::uint16_t>(node, 4), load_le<std::uint16_t>(node, 6)};
  }
};

/// The block that the index entry in slot `slot` (1-based: the header is slot 0) points to.
std::uint64_t extent_index_child(ByteView node, std::size_t slot);

BlockMap map_extents(const Disk& disk, const InodeView& inode, std::uint64_t first, std::uint64_t last);

/// Adds a run behind the others, merged with its neighbour where they touch.
void append_run(BlockMap& map, const Run& run);

}  // namespace icecore::fs::ext4
