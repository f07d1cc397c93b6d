// An inode item of the log, and the inode record that it makes.
#pragma once

#include <cstdint>

#include "fs/xfs/log_transactions.h"
#include "fs/xfs/superblock.h"

namespace icecore::fs::xfs {

/// The description (xfs_inode_log_format), of either word size.
struct LoggedInode {
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;        ///< byte of the record on the disk
  std::uint64_t buffer_block = 0;  ///< 512-byte block of the buffer that it lies in
  std::uint32_t fields = 0;
  std::uint32_t device = 0;
  ByteView core;        ///< struct xfs_log_dinode, little-endian
  ByteView data, attr;  ///< forks, empty where they were not logged
};

/// Views into `item`. kCorrupt where it does not hold together.
Result<LoggedInode> parse_logged_inode(const Superblock& super, const LogItem& item, const Location& where);

/// Makes `record` (super.inode_size bytes, as on the disk before) what it is after the item: core, forks, LSN and checksum.
Result<void> apply_logged_inode(const Superblock& super, const LoggedInode& logged, std::uint64_t lsn, std::span<std::byte> record,
                                const Location& where);

/// True where the record on the disk is as new as the item or newer, and must stay.
bool is_newer_on_disk(const Superblock& super, const LoggedInode& logged, std::uint64_t lsn, ByteView record);

}  // namespace icecore::fs::xfs
