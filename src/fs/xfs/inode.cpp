#include "fs/xfs/inode.h"

#include <fmt/format.h>
#include <algorithm>

namespace icecore::fs::xfs {
namespace {

constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

ForkFormat fork_format(std::uint8_t raw) { return raw <= dinode::kFormatBtree ? static_cast<ForkFormat>(raw) : ForkFormat::kOther; }

// sysv_major, sysv_minor: XFS keeps device numbers as IRIX did.
std::uint32_t device_number(std::uint32_t raw) {
  const std::uint32_t major = raw >> 18;
  const std::uint32_t minor = raw & 0x3ffff;
  return (major << 20) | minor;
}

FileInfo parse_core(const Superblock& super, std::uint64_t inode, ByteView record, std::uint8_t version, bool bigtime) {
  FileInfo info;
  info.inode = inode;
  info.inode_offset = super.inode_offset(inode);
  info.mode = load_be<std::uint16_t>(record, dinode::kMode);
  info.type = file_type_of_mode(info.mode);
  info.allocated = info.mode != 0;
  info.uid = load_be<std::uint32_t>(record, dinode::kUid);
  info.gid = load_be<std::uint32_t>(record, dinode::kGid);
  info.links = version == 1 ? load_be<std::uint16_t>(record, dinode::kOldLinks) : load_be<std::uint32_t>(record, dinode::kLinks);
  info.size = load_be<std::uint64_t>(record, dinode::kSize);
  info.generation = load_be<std::uint32_t>(record, dinode::kGeneration);
  info.accessed = decode_time(load_be<std::uint64_t>(record, dinode::kAccessed), bigtime);
  info.modified = decode_time(load_be<std::uint64_t>(record, dinode::kModified), bigtime);
  info.changed = decode_time(load_be<std::uint64_t>(record, dinode::kChanged), bigtime);
  if (version >= 3) info.born = decode_time(load_be<std::uint64_t>(record, dinode::kCreated), bigtime);
  return info;
}

}  // namespace

Timestamp decode_time(std::uint64_t raw, bool bigtime) {
  if (bigtime)
    return {static_cast<std::int64_t>(raw / kNanosecondsPerSecond) + dinode::kBigtimeEpoch, static_cast<std::uint32_t>(raw % kNanosecondsPerSecond)};
  const auto seconds = static_cast<std::int32_t>(static_cast<std::uint32_t>(raw >> 32));
  const auto nanoseconds = static_cast<std::uint32_t>(raw);
  // More than a second of nanoseconds is no time that the kernel writes; Timestamp promises its range.
  return {seconds, static_cast<std::uint32_t>(std::min<std::uint64_t>(nanoseconds, kNanosecondsPerSecond - 1))};
}

Result<Inode> parse_inode(const Superblock& super, std::uint64_t inode, ByteView record, const std::string& source_name) {
  const auto corrupt = [&](std::string message) {
    return fail(Code::kCorrupt, std::move(message), Location{source_name, super.inode_offset(inode), inode});
  };
  if (record.size() < super.inode_size) return corrupt("the inode's record is cut off");
  if (load_be<std::uint16_t>(record, 0) != dinode::kMagic) return corrupt("no inode here (magic number)");
  const auto version = load_be<std::uint8_t>(record, dinode::kVersion);
  if (version < 1 || version > 3 || (version == 3) != super.crc) return corrupt(fmt::format("inode of impossible version {}", version));

  std::uint64_t flags2 = 0;
  if (version == 3) {
    flags2 = load_be<std::uint64_t>(record, dinode::kFlags2);
    if (load_be<std::uint64_t>(record, dinode::kInode) != inode) return corrupt("the record says that it is another inode");
    if (!std::ranges::equal(record.subspan(dinode::kUuid, kUuidSize), super.meta_uuid)) return corrupt("the inode is of another filesystem");
  }
  Inode parsed;
  parsed.info = parse_core(super, inode, record, version, (flags2 & dinode::kFlag2Bigtime) != 0);
  if (version == 3) parsed.checksum_ok = crc_matches(record.first(super.inode_size), dinode::kCrc);
  parsed.realtime = (load_be<std::uint16_t>(record, dinode::kFlags) & dinode::kFlagRealtime) != 0;
  parsed.metadata = (flags2 & dinode::kFlag2Metadata) != 0;

  const std::size_t core = version == 3 ? dinode::kCoreV3 : dinode::kCoreV2;
  const std::size_t fork_offset = std::size_t{load_be<std::uint8_t>(record, dinode::kForkOffset)} * 8;
  const ByteView forks = record.first(super.inode_size).subspan(core);
  if (fork_offset >= forks.size()) return corrupt(fmt::format("the attribute fork begins at byte {} of {}", fork_offset, forks.size()));
  const bool big_counts = (flags2 & dinode::kFlag2Nrext64) != 0;
  parsed.data.format = fork_format(load_be<std::uint8_t>(record, dinode::kFormat));
  parsed.data.extents = big_counts ? load_be<std::uint64_t>(record, dinode::kBigExtents) : load_be<std::uint32_t>(record, dinode::kExtents);
  parsed.data.bytes = fork_offset == 0 ? forks : forks.first(fork_offset);
  parsed.attributes.format = fork_format(load_be<std::uint8_t>(record, dinode::kAttrFormat));
  parsed.attributes.extents =
      big_counts ? load_be<std::uint32_t>(record, dinode::kBigAttrExtents) : load_be<std::uint16_t>(record, dinode::kAttrExtents);
  if (fork_offset != 0) parsed.attributes.bytes = forks.subspan(fork_offset);

  FileInfo& info = parsed.info;
  if (info.type == FileType::kCharacterDevice || info.type == FileType::kBlockDevice)
    info.device = device_number(load_be<std::uint32_t>(parsed.data.bytes, 0));
  if (!info.allocated) {
    // A chunk's inodes are written with zero times when it is made; a freed one keeps the times of its end (xfs_ifree).
    parsed.remnants = load_be<std::uint64_t>(record, dinode::kChanged) != 0;
    if (parsed.remnants) info.deleted = info.changed;
  }
  return parsed;
}

}  // namespace icecore::fs::xfs
