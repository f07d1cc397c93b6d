#include "fs/ext4/block_map.h"

#include "core/hash.h"
#include "fs/ext4/extent_tree.h"
#include "fs/ext4/indirect_map.h"

namespace icecore::fs::ext4 {

BlockMap map_blocks(const Disk& disk, const InodeView& inode, std::uint64_t first, std::uint64_t last) {
  if (first >= last) return {};
  return inode.has(inode_flag::kExtents) ? map_extents(disk, inode, first, last) : map_indirect(disk, inode, first, last);
}

void append_index_blocks(const Disk& disk, const InodeView& inode, std::vector<image::ByteRange>& ranges) {
  const auto add = [&](std::uint64_t block) {
    if (disk.inside(block, 1)) ranges.push_back({block * disk.superblock.block_size, disk.superblock.block_size});
  };
  const ByteView root = inode.block();
  if (!inode.has(inode_flag::kExtents)) {
    for (std::size_t i = kDirectBlocks; i < kDirectBlocks + 3; ++i) add(load_le<std::uint32_t>(root, 4 * i));
    return;
  }
  const auto header = ExtentHeader::decode(root);
  if (header.magic != kExtentMagic || header.depth == 0 || header.entries > 4) return;
  for (std::size_t i = 1; i <= header.entries; ++i) add(extent_index_child(root, i));
}

void append_run(BlockMap& map, const Run& run) {
  if (!map.runs.empty()) {
    Run& before = map.runs.back();
    if (before.logical + before.length == run.logical && before.physical + before.length == run.physical && before.unwritten == run.unwritten) {
      before.length += run.length;
      return;
    }
  }
  map.runs.push_back(run);
}

}  // namespace icecore::fs::ext4
