// The block groups: where each one's inode table lies and how much of it is in use.
#pragma once

#include <cstdint>
#include <vector>

#include "core/anomaly.h"
#include "core/result.h"
#include "fs/ext4/superblock.h"
#include "image/block_source.h"

namespace icecore::fs::ext4 {

struct Group {
  std::uint64_t inode_table = 0;  ///< block
  std::uint64_t inode_bitmap = 0, block_bitmap = 0;
  std::uint32_t block_bitmap_checksum = 0;  ///< 16 bits of it where the descriptors have 32 bytes
  std::uint32_t inodes_free = 0;
  std::uint32_t inodes_used_part = 0;  ///< leading inodes of the table that were ever used; 0 where it was never initialised
  std::uint16_t flags = 0;
};

/// Reads all descriptors after one prefetch. A wrong checksum ("ext4.group-checksum") is reported and the descriptor used, but not trusted on what is
/// unused. A table that lies outside the filesystem ("ext4.group") has a used part of 0.
Result<std::vector<Group>> read_groups(const image::BlockSource& source, const Superblock& superblock, Anomalies& anomalies);

/// Verifies a block bitmap against its descriptor (ext4_block_bitmap_csum_verify() of fs/ext4/bitmap.c); true without metadata_csum.
bool block_bitmap_checksum_ok(const Superblock& superblock, const Group& group, ByteView bitmap);

/// Byte of the descriptor of `group`.
std::uint64_t descriptor_offset(const Superblock& superblock, std::uint32_t group);

}  // namespace icecore::fs::ext4
