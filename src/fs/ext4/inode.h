// One inode record, looked at in place. No I/O.
#pragma once

#include <cstdint>

#include "core/bytes.h"
#include "fs/ext4/ext4_format.h"
#include "fs/ext4/superblock.h"
#include "fs/file_table.h"

namespace icecore::fs::ext4 {

/// Seed of the checksums of what belongs to an inode: extent and directory blocks.
std::uint32_t inode_checksum_seed(const Superblock& superblock, std::uint64_t number, std::uint32_t generation);

/// A view of a raw record of `Superblock::inode_size` bytes; the bytes must outlive it.
class InodeView {
 public:
  InodeView(std::uint64_t number, ByteView raw) : number_(number), raw_(raw) {}

  std::uint64_t number() const { return number_; }
  std::uint32_t mode() const { return load_le<std::uint16_t>(raw_, inode_field::kMode); }
  std::uint32_t links() const { return load_le<std::uint16_t>(raw_, inode_field::kLinks); }
  std::uint32_t flags() const { return load_le<std::uint32_t>(raw_, inode_field::kFlags); }
  std::uint32_t generation() const { return load_le<std::uint32_t>(raw_, inode_field::kGeneration); }
  std::uint32_t deletion_time() const { return load_le<std::uint32_t>(raw_, inode_field::kDtime); }
  FileType type() const { return file_type_of_mode(mode()); }
  bool has(std::uint32_t flag) const { return (flags() & flag) != 0; }
  std::uint64_t size(const Superblock& superblock) const;
  std::uint64_t xattr_block(const Superblock& superblock) const;
  /// i_blocks as it stands: units of 512 bytes, or of blocks with EXT4_HUGE_FILE_FL.
  std::uint64_t sectors(const Superblock& superblock) const;
  /// i_block: block map, extent root, link target or inline data.
  ByteView block() const { return raw_.subspan(inode_field::kBlock, kInodeBlockBytes); }
  /// The bytes behind the fixed fields, where in-inode attributes lie; empty without room or with a hostile i_extra_isize.
  ByteView xattr_area() const;

  /// Never used, or wiped: nothing is in it.
  bool blank() const { return mode() == 0 && links() == 0 && deletion_time() == 0; }
  /// In use as the kernel and e2fsck see it: it has links. (Link count 0 with a bit in the bitmap is an orphan.)
  bool linked() const { return links() != 0 && mode() != 0; }

  /// Verified with metadata_csum; true without.
  bool checksum_ok(const Superblock& superblock) const;
  /// Seed of the checksums of what belongs to this inode: extent and directory blocks.
  std::uint32_t checksum_seed(const Superblock& superblock) const;

  /// All that stat needs. `record_offset` is the record's byte in the source. allocated = linked().
  FileInfo info(const Superblock& superblock, std::uint64_t record_offset) const;

 private:
  std::uint32_t extra_size() const;
  bool fits(std::size_t field_end) const { return field_end <= kOldInodeSize + extra_size(); }
  Timestamp time(std::size_t seconds_field, std::size_t extra_field) const;

  std::uint64_t number_;
  ByteView raw_;
};

}  // namespace icecore::fs::ext4
