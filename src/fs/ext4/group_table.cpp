#include "fs/ext4/group_table.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "core/hash.h"
#include "fs/ext4/ext4_format.h"
#include "fs/ext4/number_bytes.h"

namespace icecore::fs::ext4 {
namespace {

namespace f = group_field;

bool is_power_of(std::uint32_t value, std::uint32_t base) {
  while (value % base == 0) value /= base;
  return value == 1;
}

// ext4_bg_has_super() of fs/ext4/balloc.c.
bool has_superblock(const Superblock& sb, std::uint32_t group) {
  if (group == 0) return true;
  if (sb.compat(compat::kSparseSuper2)) return group == sb.backup_groups[0] || group == sb.backup_groups[1];
  if (group == 1 || !sb.ro_compat(ro_compat::kSparseSuper)) return true;
  return (group & 1U) != 0 && (is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7));
}

// descriptor_loc() of fs/ext4/super.c.
std::uint64_t descriptor_block(const Superblock& sb, std::uint32_t index) {
  const std::uint64_t superblock_block = sb.block_size == 1024 ? 1 : 0;
  if (!sb.incompat(incompat::kMetaBg) || index < sb.first_meta_group) return superblock_block + index + 1;
  const std::uint32_t group = index * (sb.block_size / sb.descriptor_size);
  std::uint64_t block = sb.first_data_block + std::uint64_t{group} * sb.blocks_per_group + (has_superblock(sb, group) ? 1U : 0U);
  if (sb.block_size == 1024 && index == 0 && sb.first_data_block == 0) ++block;
  return block;
}

std::uint16_t crc16(std::uint16_t crc, ByteView bytes) {
  for (const std::byte byte : bytes) {
    crc = static_cast<std::uint16_t>(crc ^ std::to_integer<unsigned>(byte));
    for (int bit = 0; bit < 8; ++bit) crc = static_cast<std::uint16_t>((crc >> 1) ^ ((crc & 1U) != 0 ? 0xA001U : 0U));
  }
  return crc;
}

// ext4_group_desc_csum() of fs/ext4/super.c: crc32c with metadata_csum, else crc16 over the UUID, the group and the descriptor.
bool checksum_ok(const Superblock& sb, std::uint32_t group, ByteView raw) {
  if (!sb.group_checksums()) return true;
  const auto number = number_bytes(group);
  const auto stored = load_le<std::uint16_t>(raw, f::kChecksum);
  if (sb.checksums()) {
    static constexpr std::array<std::byte, 2> kZero{};
    std::uint32_t crc = crc32c(crc32c(sb.checksum_seed, number), raw.first(f::kChecksum));
    crc = crc32c(crc, kZero);
    return (crc32c(crc, raw.subspan(f::kChecksum + 2)) & 0xFFFFU) == stored;
  }
  std::uint16_t crc = crc16(crc16(crc16(0xFFFF, sb.uuid_bytes), number), raw.first(f::kChecksum));
  if (raw.size() > f::kChecksum + 2) crc = crc16(crc, raw.subspan(f::kChecksum + 2));
  return crc == stored;
}

bool has_high_halves(const Superblock& sb) { return sb.incompat(incompat::k64Bit) && sb.descriptor_size >= 64; }

Group decode(const Superblock& sb, ByteView raw) {
  const bool wide = has_high_halves(sb);
  const auto block = [&](std::size_t lo, std::size_t hi) {
    return load_le<std::uint32_t>(raw, lo) | (wide ? std::uint64_t{load_le<std::uint32_t>(raw, hi)} << 32 : 0);
  };
  const auto count = [&](std::size_t lo, std::size_t hi) {
    return load_le<std::uint16_t>(raw, lo) | (wide ? std::uint32_t{load_le<std::uint16_t>(raw, hi)} << 16 : 0);
  };
  Group group;
  group.block_bitmap = block(f::kBlockBitmapLo, f::kBlockBitmapHi);
  group.inode_bitmap = block(f::kInodeBitmapLo, f::kInodeBitmapHi);
  group.inode_table = block(f::kInodeTableLo, f::kInodeTableHi);
  group.block_bitmap_checksum = count(f::kBlockBitmapCsumLo, f::kBlockBitmapCsumHi);
  group.inodes_free = count(f::kFreeInodesLo, f::kFreeInodesHi);
  group.flags = load_le<std::uint16_t>(raw, f::kFlags);
  group.inodes_used_part = sb.inodes_per_group;
  if (sb.group_checksums()) {
    const std::uint32_t unused = count(f::kItableUnusedLo, f::kItableUnusedHi);
    group.inodes_used_part -= std::min(unused, sb.inodes_per_group);
    if ((group.flags & kGroupInodeUninit) != 0) group.inodes_used_part = 0;
  }
  return group;
}

bool table_inside(const Superblock& sb, const Group& group, std::uint64_t source_size) {
  const std::uint64_t bytes = std::uint64_t{sb.inodes_per_group} * sb.inode_size;
  const std::uint64_t end = std::min(sb.size(), source_size);
  return group.inode_table > sb.first_data_block && group.inode_table < end / sb.block_size && bytes <= end - group.inode_table * sb.block_size;
}

}  // namespace

bool block_bitmap_checksum_ok(const Superblock& sb, const Group& group, ByteView bitmap) {
  if (!sb.checksums()) return true;
  const std::size_t covered = std::min<std::size_t>(sb.blocks_per_group / sb.cluster_blocks / 8, bitmap.size());
  const std::uint32_t found = crc32c(sb.checksum_seed, bitmap.first(covered));
  return (has_high_halves(sb) ? found : found & 0xFFFFU) == group.block_bitmap_checksum;
}

std::uint64_t descriptor_offset(const Superblock& sb, std::uint32_t group) {
  const std::uint32_t per_block = sb.block_size / sb.descriptor_size;
  return descriptor_block(sb, group / per_block) * sb.block_size + std::uint64_t{group % per_block} * sb.descriptor_size;
}

Result<std::vector<Group>> read_groups(const image::BlockSource& source, const Superblock& sb, Anomalies& anomalies) {
  const std::uint32_t per_block = sb.block_size / sb.descriptor_size;
  const std::uint32_t blocks = (sb.groups + per_block - 1) / per_block;
  std::vector<image::ByteRange> ranges;
  for (std::uint32_t i = 0; i < blocks && descriptor_block(sb, i) < source.size() / sb.block_size; ++i)
    ranges.push_back({descriptor_block(sb, i) * sb.block_size, sb.block_size});
  // Where the disk is shorter than the filesystem the groups behind are not there either.
  if (ranges.empty()) return fail(Code::kCorrupt, "the group descriptors are beyond the end of the disk", Location{source.name()});
  if (ranges.size() < blocks)
    anomalies.add(
        "ext4.group",
        Error{Code::kCorrupt, fmt::format("{} of {} blocks of group descriptors are beyond the end of the disk", blocks - ranges.size(), blocks),
              Location{source.name(), source.size()}, nullptr});
  ICECORE_CHECK(source.prefetch(ranges));

  // Each group has a table of its own of at least one block, so there are never more than the source has blocks, whatever the superblock says.
  const std::uint64_t most = std::min<std::uint64_t>(sb.groups, source.size() / sb.block_size + 1);
  std::vector<Group> groups;
  Bytes block(sb.block_size);
  for (std::size_t i = 0; i < ranges.size() && groups.size() < most; ++i) {
    const auto read = source.read(ranges[i].offset, block);
    if (!read) return Failure(read.error());
    for (std::uint32_t j = 0; j < per_block && groups.size() < most; ++j) {
      const auto number = static_cast<std::uint32_t>(groups.size());
      const ByteView raw = ByteView(block).subspan(std::size_t{j} * sb.descriptor_size, sb.descriptor_size);
      const Location where{source.name(), ranges[i].offset + std::uint64_t{j} * sb.descriptor_size};
      Group group = decode(sb, raw);
      if (!checksum_ok(sb, number, raw)) {
        anomalies.add("ext4.group-checksum", Error{Code::kCorrupt, fmt::format("checksum of group descriptor {} is wrong", number), where, nullptr});
        group.inodes_used_part = sb.inodes_per_group;
      }
      if (!table_inside(sb, group, source.size())) {
        anomalies.add(
            "ext4.group",
            Error{Code::kCorrupt, fmt::format("the inode table of group {} (block {}) lies outside the filesystem", number, group.inode_table), where,
                  nullptr});
        group.inodes_used_part = 0;
        group.inode_table = 0;
      }
      groups.push_back(group);
    }
  }
  return groups;
}

}  // namespace icecore::fs::ext4
