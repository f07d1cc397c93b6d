#include "fs/xfs/superblock.h"

#include <fmt/format.h>
#include <algorithm>
#include <bit>

#include "core/hash.h"

namespace icecore::fs::xfs {
namespace {

bool power_of_two_between(std::uint32_t value, std::uint32_t low, std::uint32_t high) {
  return std::has_single_bit(value) && value >= low && value <= high;
}

Result<void> check(const Superblock& super, const Location& where) {
  // The bounds are XFS_MIN_… and XFS_MAX_… of xfs_format.h, as xfs_validate_sb_common holds them.
  if (!power_of_two_between(super.block_size, 512, 65536))
    return fail(Code::kCorrupt, fmt::format("XFS block size {} is impossible", super.block_size), where);
  if (!power_of_two_between(super.sector_size, 512, 32768) || super.sector_size > super.block_size)
    return fail(Code::kCorrupt, fmt::format("XFS sector size {} is impossible", super.sector_size), where);
  if (!power_of_two_between(super.inode_size, 256, 2048) || super.inode_size > super.block_size)
    return fail(Code::kCorrupt, fmt::format("XFS inode size {} is impossible", super.inode_size), where);
  if (super.directory_block_size < super.block_size || super.directory_block_size > 65536)
    return fail(Code::kCorrupt, fmt::format("XFS directory block size {} is impossible", super.directory_block_size), where);
  if (super.ag_count == 0 || super.ag_blocks < 64 || super.ag_blocks > (1U << 31) ||
      super.ag_block_log != static_cast<unsigned>(std::bit_width(super.ag_blocks - 1)))
    return fail(Code::kCorrupt, fmt::format("XFS of {} allocation groups of {} blocks is impossible", super.ag_count, super.ag_blocks), where);
  // ag_block_log is ag_blocks' logarithm, rounded up: with a larger one, addresses of many groups would not fit 64 bits.
  const std::uint64_t most = std::uint64_t{super.ag_count} * super.ag_blocks;
  if (super.data_blocks > most || super.data_blocks <= most - super.ag_blocks || super.data_blocks > (std::uint64_t{1} << 63 >> super.block_log))
    return fail(Code::kCorrupt, fmt::format("XFS of {} blocks does not fit its {} allocation groups", super.data_blocks, super.ag_count), where);
  return {};
}

}  // namespace

std::uint32_t block_crc(ByteView block, std::size_t crc_offset) {
  static constexpr std::array<std::byte, 4> kZeros{};
  std::uint32_t crc = crc32c(~0U, block.first(crc_offset));
  crc = crc32c(crc, kZeros);
  return ~crc32c(crc, block.subspan(crc_offset + 4));
}

std::string uuid_text(ByteView uuid) {
  std::string text = to_hex(uuid);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, "-");
  return text;
}

bool Superblock::contains_block(std::uint64_t fs_block, std::uint64_t count) const {
  const std::uint64_t ag = fs_block >> ag_block_log;
  const std::uint64_t in_ag = fs_block & ((std::uint64_t{1} << ag_block_log) - 1);
  if (ag >= ag_count) return false;
  const std::uint64_t blocks = blocks_in_ag(static_cast<std::uint32_t>(ag));
  return in_ag < blocks && count <= blocks - in_ag;  // no extent crosses an allocation group
}

bool Superblock::contains_inode(std::uint64_t inode) const { return inode != 0 && contains_block(inode >> inodes_per_block_log); }

std::uint32_t Superblock::blocks_in_ag(std::uint32_t ag) const {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(ag_blocks, data_blocks - std::uint64_t{ag} * ag_blocks));
}

std::uint64_t Superblock::block_offset(std::uint64_t fs_block) const {
  const std::uint64_t ag = fs_block >> ag_block_log;
  const std::uint64_t in_ag = fs_block & ((std::uint64_t{1} << ag_block_log) - 1);
  return (ag * ag_blocks + in_ag) << block_log;
}

std::uint64_t Superblock::inode_offset(std::uint64_t inode) const {
  return block_offset(inode >> inodes_per_block_log) + (inode & (inodes_per_block() - 1)) * inode_size;
}

Result<Superblock> parse_superblock(ByteView sector, const std::string& source_name) {
  const Location where{source_name, 0};
  if (sector.size() < sb::kSize || load_be<std::uint32_t>(sector, 0) != sb::kMagic) return fail(Code::kNotFound, "no XFS superblock", where);
  Superblock super;
  super.block_size = load_be<std::uint32_t>(sector, sb::kBlockSize);
  super.sector_size = load_be<std::uint16_t>(sector, sb::kSectorSize);
  super.inode_size = load_be<std::uint16_t>(sector, sb::kInodeSize);
  super.ag_blocks = load_be<std::uint32_t>(sector, sb::kAgBlocks);
  super.ag_count = load_be<std::uint32_t>(sector, sb::kAgCount);
  super.ag_block_log = load_be<std::uint8_t>(sector, sb::kAgBlockLog);
  super.data_blocks = load_be<std::uint64_t>(sector, sb::kDataBlocks);
  super.root_inode = load_be<std::uint64_t>(sector, sb::kRootInode);
  std::size_t own = 0;
  for (const std::size_t field : {sb::kBitmapInode, sb::kSummaryInode, sb::kUserQuotaInode, sb::kGroupQuotaInode, sb::kProjectQuotaInode})
    super.own_inodes[own++] = load_be<std::uint64_t>(sector, field);
  super.log_start = load_be<std::uint64_t>(sector, sb::kLogStart);
  super.log_blocks = load_be<std::uint32_t>(sector, sb::kLogBlocks);
  super.log_stripe_unit = load_be<std::uint32_t>(sector, sb::kLogStripeUnit);
  const std::uint8_t directory_log = load_be<std::uint8_t>(sector, sb::kDirBlockLog);
  super.directory_block_size = directory_log > 7 || super.block_size > 65536 ? 0 : super.block_size << directory_log;
  const std::uint16_t version = load_be<std::uint16_t>(sector, sb::kVersion);
  const unsigned number = version & sb::kVersionNumberMask;
  if (number != 4 && number != 5)
    return fail(Code::kUnsupported, fmt::format("XFS version {} is not read by this program (4 and 5 are)", number), where);
  if ((version & sb::kVersionDirV2) == 0) return fail(Code::kUnsupported, "XFS with version 1 directories is not read by this program", where);
  super.crc = number == 5;
  super.log_v2 = (version & sb::kVersionLogV2) != 0;
  const std::uint32_t features2 = (version & sb::kVersionMoreBits) != 0 ? load_be<std::uint32_t>(sector, sb::kFeatures2) : 0;
  if (super.crc) super.features_incompatible = load_be<std::uint32_t>(sector, sb::kIncompatible);
  super.ftype = super.crc ? (super.features_incompatible & sb::kIncompatibleFtype) != 0 : (features2 & sb::kFeature2Ftype) != 0;
  ICECORE_CHECK(check(super, where));
  super.block_log = static_cast<std::uint8_t>(std::countr_zero(super.block_size));
  super.inodes_per_block_log = static_cast<std::uint8_t>(std::countr_zero(super.block_size / super.inode_size));
  const ByteView uuid = sector.subspan(sb::kUuid, kUuidSize);
  std::ranges::copy(uuid, super.uuid.begin());
  const bool own_meta_uuid = (super.features_incompatible & sb::kIncompatibleMetaUuid) != 0;
  std::ranges::copy(own_meta_uuid ? sector.subspan(sb::kMetaUuid, kUuidSize) : uuid, super.meta_uuid.begin());
  super.label = c_string(sector.subspan(sb::kName, sb::kNameSize));
  if (super.crc && sector.size() >= super.sector_size) super.checksum_ok = crc_matches(sector.first(super.sector_size), sb::kCrc);
  if (const std::uint32_t unknown = super.features_incompatible & ~sb::kIncompatibleKnown; unknown != 0)
    return fail(Code::kUnsupported, fmt::format("XFS has incompatible features {:#x} that this version does not know", unknown), where);
  return super;
}

}  // namespace icecore::fs::xfs
