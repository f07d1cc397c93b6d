// Who holds a block now: the allocation bitmaps, and sets of blocks that are collected on the way.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "fs/block_set.h"
#include "fs/ext4/block_map.h"

namespace icecore::fs::ext4 {

/// The block bitmaps of the groups that are asked after. A bitmap that cannot be read, or whose checksum is wrong, is an anomaly
/// ("ext4.block-bitmap") and counts as all used: nobody is given another's content.
class BlockBitmaps {
 public:
  /// `checked`: bitmaps and descriptors are of one time. On a disk whose journal was not replayed they need not be.
  BlockBitmaps(const Disk& disk, bool checked) : disk_(disk), checked_(checked) {}
  /// Reads the bitmaps that cover these blocks as one prefetch.
  Result<void> load(const BlockSet& blocks, Anomalies& anomalies);
  /// The used parts of [start, end), appended ascending. Only after load() of a run that covers it.
  void append_used(std::uint64_t start, std::uint64_t end, std::vector<BlockSpan>& out) const;

 private:
  std::uint64_t group_of(std::uint64_t block) const { return (block - disk_.superblock.first_data_block) / disk_.superblock.blocks_per_group; }
  Result<Bytes> read(std::uint64_t group) const;
  std::vector<BlockSpan> decode(std::uint64_t group, ByteView bitmap) const;

  const Disk& disk_;
  const bool checked_;
  std::unordered_map<std::uint64_t, std::vector<BlockSpan>> used_;  // by group, ascending
};

/// Blocks of live files that lie within `asked`. Reads the inode tables again, and index blocks as one prefetch.
Result<BlockSet> live_blocks_within(const Disk& disk, const FileTable& table, const BlockSet& asked);

}  // namespace icecore::fs::ext4
