// The superblock as a value: geometry, features, and the arithmetic of XFS addresses.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "core/bytes.h"
#include "core/result.h"
#include "fs/xfs/xfs_format.h"

namespace icecore::fs::xfs {

/// Checked on parsing: sizes are powers of two within the format's bounds, so no arithmetic below overflows on numbers that passed contains_*().
struct Superblock {
  std::uint32_t block_size = 0, sector_size = 0, inode_size = 0, directory_block_size = 0;
  std::uint8_t block_log = 0, inodes_per_block_log = 0, ag_block_log = 0;
  std::uint32_t ag_blocks = 0, ag_count = 0;
  std::uint64_t data_blocks = 0, root_inode = 0;
  std::array<std::uint64_t, 5> own_inodes{};  ///< realtime bitmap and summary, quota; what is not there is 0 or all ones
  std::uint64_t log_start = 0;                ///< filesystem block; 0 where the log is on another device
  std::uint32_t log_blocks = 0, log_stripe_unit = 0;
  std::uint32_t features_incompatible = 0;
  std::array<std::byte, kUuidSize> uuid{}, meta_uuid{};
  std::string label;
  bool crc = false;  ///< version 5
  bool ftype = false, log_v2 = false;
  bool checksum_ok = true;

  std::uint32_t inodes_per_block() const { return 1U << inodes_per_block_log; }
  std::uint64_t size() const { return data_blocks << block_log; }

  /// One of the filesystem's own inodes, which no name leads to.
  bool is_internal(std::uint64_t inode) const { return inode != root_inode && std::ranges::find(own_inodes, inode) != own_inodes.end(); }
  bool contains_block(std::uint64_t fs_block, std::uint64_t count = 1) const;
  bool contains_inode(std::uint64_t inode) const;
  std::uint32_t blocks_in_ag(std::uint32_t ag) const;
  /// Byte of a filesystem block (allocation group << ag_block_log | block). Precondition: contains_block.
  std::uint64_t block_offset(std::uint64_t fs_block) const;
  std::uint64_t block_of(std::uint32_t ag, std::uint32_t ag_block) const { return (std::uint64_t{ag} << ag_block_log) | ag_block; }
  std::uint64_t inode_of(std::uint32_t ag, std::uint32_t ag_inode) const {
    return (std::uint64_t{ag} << (ag_block_log + inodes_per_block_log)) | ag_inode;
  }
  /// Byte of an inode's record. Precondition: contains_inode.
  std::uint64_t inode_offset(std::uint64_t inode) const;
};

/// Parses `sector`, at least 512 bytes (the checksum covers sector_size, and is checked where so much is there).
Result<Superblock> parse_superblock(ByteView sector, const std::string& source_name);

/// 8-4-4-4-12, lower case.
std::string uuid_text(ByteView uuid);

/// CRC-32C of `block` with the four bytes at `crc_offset` taken as zero, as xfs_cksum.h has it.
std::uint32_t block_crc(ByteView block, std::size_t crc_offset);
inline bool crc_matches(ByteView block, std::size_t crc_offset) { return block_crc(block, crc_offset) == load_le<std::uint32_t>(block, crc_offset); }

}  // namespace icecore::fs::xfs
