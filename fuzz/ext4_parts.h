// What the targets of ext4's parsers share: a filesystem of one group and 1 KiB blocks whose geometry is given, so that an input holds nothing but
// the structures under test. An input: options (u8), the blocks of the inode table and of the block bitmap (u16 each, little-endian), then a disk as
// disk_of_blocks() has it. Seeds: fuzz/make_ext4_part_seeds, from mkfs and the kernel.
#pragma once

#include <optional>

#include "disk.h"
#include "fs/ext4/disk.h"

namespace icecore::fuzz {

inline constexpr std::uint8_t kWithChecksums = 1, kWith64Bit = 2, kWithoutFiletype = 4, kWithSmallInodes = 8, kWithLargeDir = 16;
inline constexpr std::uint32_t kExt4Inodes = 64, kFirstFile = 11, kLastFile = 32;

inline fs::ext4::Superblock ext4_superblock(std::uint8_t options, std::uint64_t blocks) {
  namespace e = fs::ext4;
  e::Superblock sb;
  sb.blocks = blocks;
  sb.inodes = sb.inodes_per_group = kExt4Inodes;
  sb.block_size = 1024;
  sb.first_data_block = 1;
  sb.blocks_per_group = 8192;
  sb.groups = 1;
  sb.inode_size = (options & kWithSmallInodes) != 0 ? 128 : 256;
  sb.descriptor_size = 32;
  sb.first_inode = kFirstFile;
  sb.feature_compat = e::compat::kHasJournal;
  sb.feature_incompat = e::incompat::kExtents | e::incompat::kEaInode | e::incompat::kInlineData;
  if ((options & kWithoutFiletype) == 0) sb.feature_incompat |= e::incompat::kFiletype;
  if ((options & kWith64Bit) != 0) sb.feature_incompat |= e::incompat::k64Bit;
  if ((options & kWithLargeDir) != 0) sb.feature_incompat |= e::incompat::kLargeDir;
  if ((options & kWithChecksums) != 0) sb.feature_ro_compat = e::ro_compat::kMetadataChecksum;
  sb.journal_inode = e::kJournalInodeDefault;
  return sb;
}

/// nullopt where the input is too short to be a disk with its inode table.
inline std::optional<fs::ext4::Disk> ext4_parts(const std::uint8_t* data, std::size_t size) {
  const ByteView in = view_of(data, size);
  if (in.size() < 7) return std::nullopt;
  const auto options = std::to_integer<std::uint8_t>(in[0]);
  fs::ext4::Disk disk;
  disk.source = disk_of_blocks(in.subspan(5));
  disk.superblock = ext4_superblock(options, disk.source->size() / 1024);
  fs::ext4::Group group;
  group.inode_table = load_le<std::uint16_t>(in, 1);
  group.block_bitmap = load_le<std::uint16_t>(in, 3);
  group.inodes_used_part = kExt4Inodes;
  const std::uint64_t table = std::uint64_t{kExt4Inodes} * disk.superblock.inode_size / 1024;
  if (!disk.inside(group.inode_table, table)) return std::nullopt;
  disk.groups = {group};
  return disk;
}

/// Calls `look` with the input's disk and each of its first ordinary inodes.
template <typename Look>
void look_at_files(const std::uint8_t* data, std::size_t size, Look&& look) {
  const auto disk = ext4_parts(data, size);
  if (!disk) return;
  for (std::uint64_t number = kFirstFile; number <= kLastFile; ++number) {
    const auto inode = disk->load_inode(number);
    if (inode) look(*disk, inode->view());
  }
}

}  // namespace icecore::fuzz
