// The superblock as values, checked so far that nothing built on them can overflow or divide by zero.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/anomaly.h"
#include "core/bytes.h"
#include "core/result.h"
#include "image/block_source.h"

namespace icecore::fs::ext4 {

struct Superblock {
  std::uint64_t blocks = 0;
  std::uint32_t inodes = 0;
  std::uint32_t block_size = 0;
  std::uint32_t first_data_block = 0;
  std::uint32_t blocks_per_group = 0;
  std::uint32_t cluster_blocks = 1;  ///< blocks that one bit of a block bitmap stands for (bigalloc)
  std::uint32_t inodes_per_group = 0;
  std::uint32_t groups = 0;
  std::uint32_t inode_size = 0;
  std::uint32_t descriptor_size = 0;
  std::uint32_t first_meta_group = 0;
  std::uint32_t first_inode = 0;  ///< first that is not reserved
  std::uint32_t feature_compat = 0, feature_incompat = 0, feature_ro_compat = 0;
  std::uint32_t journal_inode = 0, journal_device = 0;
  std::uint32_t last_orphan = 0;
  std::uint32_t orphan_file_inode = 0;
  std::uint32_t quota_inodes[3] = {};
  std::uint32_t backup_groups[2] = {};  ///< sparse_super2
  std::uint32_t checksum_seed = 0;      ///< for everything but the superblock itself
  std::uint16_t encoding = 0;
  std::array<std::byte, 16> uuid_bytes{};
  std::string uuid, label;

  bool incompat(std::uint32_t bit) const { return (feature_incompat & bit) != 0; }
  bool ro_compat(std::uint32_t bit) const { return (feature_ro_compat & bit) != 0; }
  bool compat(std::uint32_t bit) const { return (feature_compat & bit) != 0; }
  bool checksums() const;
  /// bg_itable_unused and the uninit flags mean something.
  bool group_checksums() const;
  std::uint64_t size() const { return blocks * block_size; }
  /// "ext2", "ext3" or "ext4", as blkid decides.
  std::string_view type() const;
  /// A filesystem's own inode (journal, quota, resize, orphan file…), which no name leads to.
  bool is_internal(std::uint64_t inode) const;
};

/// Decodes the 1024 bytes. kNotFound without the magic; kCorrupt for numbers that cannot be; kUnsupported names features that change the format
/// beyond reading. A wrong checksum is reported through `checksum_ok`.
Result<Superblock> decode_superblock(ByteView raw, const Location& where, bool& checksum_ok);

/// The primary superblock or, where it is damaged, the first backup that is whole (kinds "ext4.superblock", "ext4.superblock-checksum").
Result<Superblock> read_superblock(const image::BlockSource& source, Anomalies& anomalies);

}  // namespace icecore::fs::ext4
