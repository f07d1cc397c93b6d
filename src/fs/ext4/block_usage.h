// Who holds a block now: the allocation bitmaps, and sets of blocks that are collected on the way.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "fs/block_set.h"
#include "fs/ext4/block_map.h"

namespace icecore::fs::ext4 {

/// The block bitmaps of the groups that are asked after. A bitmap that cannot be read counts as all used.
class BlockBitmaps {
 public:
  explicit BlockBitmaps(const Disk& disk) : disk_(disk) {}
  /// Reads the bitmaps that cover these blocks as one prefetch.
  Result<void> load(const BlockSet& blocks);
  /// The used parts of [start, end), appended ascending. Only after load() of a run that covers it.
  void append_used(std::uint64_t start, std::uint64_t end, std::vector<BlockSpan>& out) const;

 private:
  std::uint64_t group_of(std::uint64_t block) const { return (block - disk_.superblock.first_data_block) / disk_.superblock.blocks_per_group; }
  std::vector<BlockSpan> decode(std::uint64_t group, ByteView bitmap) const;

  const Disk& disk_;
  std::unordered_map<std::uint64_t, std::vector<BlockSpan>> used_;  // by group, ascending
};

/// Blocks of live files that lie within `asked`. Reads the inode tables again, and index blocks as one prefetch.
Result<BlockSet> live_blocks_within(const Disk& disk, const FileTable& table, const BlockSet& asked);

}  // namespace icecore::fs::ext4
