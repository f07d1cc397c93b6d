#include "fs/ext4/superblock.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "core/hash.h"
#include "fs/ext4/ext4_format.h"

namespace icecore::fs::ext4 {
namespace {

namespace f = super_field;

// 128 TiB in the usual groups of 128 MiB; EBS ends at 64 TiB. A hostile superblock shall not make us hold more descriptors.
constexpr std::uint64_t kMaximumGroups = std::uint64_t{1} << 20;

std::string uuid_text(ByteView bytes) {
  std::string text = to_hex(bytes);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

bool power_of_two(std::uint64_t value) { return value != 0 && (value & (value - 1)) == 0; }

std::string unknown_features(std::uint32_t bits) {
  std::string names;
  const auto add = [&](std::uint32_t bit, std::string_view name) {
    if ((bits & bit) != 0) names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  };
  add(incompat::kCompression, "compression");
  add(incompat::kDirData, "dirdata");
  add(incompat::kJournalDevice, "journal_dev (this is an external journal, not a filesystem)");
  const std::uint32_t rest = bits & ~(incompat::kCompression | incompat::kDirData | incompat::kJournalDevice);
  if (rest != 0) names += fmt::format("{}0x{:x}", names.empty() ? "" : ", ", rest);
  return names;
}

Result<void> check_sizes(const Superblock& sb, const Location& where) {
  const auto bad = [&](std::string message) { return fail(Code::kCorrupt, "superblock: " + std::move(message), where); };
  if (sb.inode_size < kOldInodeSize || sb.inode_size > sb.block_size || !power_of_two(sb.inode_size))
    return bad(fmt::format("inodes of {} bytes", sb.inode_size));
  if (sb.descriptor_size < 32 || sb.descriptor_size > sb.block_size || !power_of_two(sb.descriptor_size))
    return bad(fmt::format("group descriptors of {} bytes", sb.descriptor_size));
  if (sb.inodes_per_group == 0 || sb.inodes_per_group > sb.block_size * 8U) return bad(fmt::format("{} inodes in a group", sb.inodes_per_group));
  if (sb.blocks_per_group < 8) return bad(fmt::format("{} blocks in a group", sb.blocks_per_group));
  if (sb.blocks <= sb.first_data_block || sb.blocks > UINT64_MAX / sb.block_size / 2) return bad(fmt::format("{} blocks", sb.blocks));
  return {};
}

}  // namespace

bool Superblock::checksums() const { return ro_compat(ro_compat::kMetadataChecksum); }
bool Superblock::group_checksums() const { return ro_compat(ro_compat::kMetadataChecksum | ro_compat::kGroupChecksum); }

std::string_view Superblock::type() const {
  constexpr std::uint32_t kExt3Incompat = incompat::kFiletype | incompat::kRecover | incompat::kMetaBg;
  constexpr std::uint32_t kExt3RoCompat = ro_compat::kSparseSuper | ro_compat::kLargeFile | 0x4;
  if ((feature_incompat & ~kExt3Incompat) != 0 || (feature_ro_compat & ~kExt3RoCompat) != 0) return "ext4";
  return compat(compat::kHasJournal) ? "ext3" : "ext2";
}

bool Superblock::is_internal(std::uint64_t inode) const {
  if (inode == kRootInode) return false;
  return inode < first_inode || (inode == journal_inode && journal_inode != 0) || (inode == orphan_file_inode && compat(compat::kOrphanFile)) ||
         std::ranges::find(quota_inodes, inode) != std::end(quota_inodes);
}

Result<Superblock> decode_superblock(ByteView raw, const Location& where, bool& checksum_ok) {
  const auto u32 = [&](std::size_t at) { return load_le<std::uint32_t>(raw, at); };
  const auto u16 = [&](std::size_t at) { return load_le<std::uint16_t>(raw, at); };
  if (u16(f::kMagic) != kSuperblockMagic) return fail(Code::kNotFound, "no ext superblock (magic 0xEF53) here", where);
  Superblock sb;
  const bool dynamic = u32(f::kRevision) >= 1;
  sb.feature_compat = dynamic ? u32(f::kFeatureCompat) : 0;
  sb.feature_incompat = dynamic ? u32(f::kFeatureIncompat) : 0;
  sb.feature_ro_compat = dynamic ? u32(f::kFeatureRoCompat) : 0;
  checksum_ok = !sb.checksums() || crc32c(~0U, raw.first(f::kChecksum)) == u32(f::kChecksum);
  if (const std::uint32_t unknown = sb.feature_incompat & ~incompat::kKnown; unknown != 0)
    return fail(Code::kUnsupported, fmt::format("ext4 with features that this version does not read: {}", unknown_features(unknown)), where);
  if (u32(f::kLogBlockSize) > 6) return fail(Code::kCorrupt, fmt::format("superblock: block size 1024 << {}", u32(f::kLogBlockSize)), where);
  sb.block_size = 1024U << u32(f::kLogBlockSize);
  sb.inodes = u32(f::kInodesCount);
  sb.blocks = u32(f::kBlocksCountLo);
  if (sb.incompat(incompat::k64Bit)) sb.blocks |= std::uint64_t{u32(f::kBlocksCountHi)} << 32;
  sb.first_data_block = u32(f::kFirstDataBlock);
  sb.blocks_per_group = u32(f::kBlocksPerGroup);
  if (sb.ro_compat(ro_compat::kBigalloc) && u32(f::kLogClusterSize) > u32(f::kLogBlockSize) && u32(f::kLogClusterSize) < 32)
    sb.cluster_blocks = 1U << (u32(f::kLogClusterSize) - u32(f::kLogBlockSize));
  sb.inodes_per_group = u32(f::kInodesPerGroup);
  sb.inode_size = dynamic ? u16(f::kInodeSize) : static_cast<std::uint32_t>(kOldInodeSize);
  sb.first_inode = dynamic ? u32(f::kFirstInode) : 11;
  sb.descriptor_size = sb.incompat(incompat::k64Bit) ? u16(f::kDescriptorSize) : 32U;
  sb.first_meta_group = sb.incompat(incompat::kMetaBg) ? u32(f::kFirstMetaBg) : UINT32_MAX;
  sb.journal_inode = sb.compat(compat::kHasJournal) ? u32(f::kJournalInode) : 0;
  sb.journal_device = u32(f::kJournalDevice);
  sb.last_orphan = u32(f::kLastOrphan);
  sb.orphan_file_inode = u32(f::kOrphanFileInode);
  sb.quota_inodes[0] = u32(f::kUserQuotaInode);
  sb.quota_inodes[1] = u32(f::kGroupQuotaInode);
  sb.quota_inodes[2] = u32(f::kProjectQuotaInode);
  sb.backup_groups[0] = u32(f::kBackupGroups);
  sb.backup_groups[1] = u32(f::kBackupGroups + 4);
  sb.encoding = u16(f::kEncoding);
  const ByteView uuid = raw.subspan(f::kUuid, 16);
  sb.checksum_seed = sb.incompat(incompat::kChecksumSeed) ? u32(f::kChecksumSeed) : crc32c(~0U, uuid);
  std::ranges::copy(uuid, sb.uuid_bytes.begin());
  sb.uuid = uuid_text(uuid);
  sb.label = c_string(raw.subspan(f::kLabel, 16));
  ICECORE_CHECK(check_sizes(sb, where));
  const std::uint64_t groups = (sb.blocks - sb.first_data_block + sb.blocks_per_group - 1) / sb.blocks_per_group;
  if (groups > kMaximumGroups) return fail(Code::kCorrupt, fmt::format("superblock: {} block groups", groups), where);
  sb.groups = static_cast<std::uint32_t>(groups);
  return sb;
}

namespace {

Result<Superblock> read_at(const image::BlockSource& source, std::uint64_t offset, bool& checksum_ok) {
  const Location where{source.name(), offset};
  if (source.size() < kSuperblockSize || offset > source.size() - kSuperblockSize)
    return fail(Code::kNotFound, fmt::format("{} bytes are too few for an ext filesystem", source.size()), where);
  std::array<std::byte, kSuperblockSize> raw{};
  ICECORE_CHECK(source.read(offset, raw));
  return decode_superblock(raw, where, checksum_ok);
}

// Group 1 begins with a backup in every layout that mke2fs makes (sparse_super keeps 0, 1 and powers of 3, 5, 7).
std::optional<Superblock> find_backup(const image::BlockSource& source) {
  for (const std::uint64_t block_size : {4096U, 1024U, 2048U, 65536U}) {
    const std::uint64_t offset = block_size * block_size * 8 + (block_size == 1024 ? 1024 : 0);
    bool checksum_ok = false;
    const auto found = read_at(source, offset, checksum_ok);
    if (found && checksum_ok && found->block_size == block_size) return *found;
  }
  return std::nullopt;
}

}  // namespace

Result<Superblock> read_superblock(const image::BlockSource& source, Anomalies& anomalies) {
  bool checksum_ok = true;
  auto primary = read_at(source, kSuperblockOffset, checksum_ok);
  if (primary && checksum_ok) return primary;
  if (!primary && primary.error().code != Code::kNotFound && primary.error().code != Code::kCorrupt && primary.error().code != Code::kUnsupported)
    return primary;
  if (auto backup = find_backup(source)) {
    const std::string why = primary ? "its checksum is wrong" : primary.error().message;
    anomalies.add("ext4.superblock", Error{Code::kCorrupt, fmt::format("the primary superblock is damaged ({}); the backup in group 1 was used", why),
                                           Location{source.name(), kSuperblockOffset}, nullptr});
    return std::move(*backup);
  }
  if (primary)
    anomalies.add("ext4.superblock-checksum", Error{Code::kCorrupt, "the superblock's checksum is wrong and no backup is whole; it was used as it is",
                                                    Location{source.name(), kSuperblockOffset}, nullptr});
  return primary;
}

}  // namespace icecore::fs::ext4
