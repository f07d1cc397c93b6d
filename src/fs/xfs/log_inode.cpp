#include "fs/xfs/log_inode.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "fs/xfs/xfs_format.h"
#include "fs/xfs/xfs_log_format.h"

// After xlog_recover_inode_commit_pass2 and xfs_log_dinode_to_disk of Linux fs/xfs/xfs_inode_item_recover.c.

namespace icecore::fs::xfs {
namespace {

struct Field {
  std::size_t offset, size;
};

// The numbers of the core that every version has, turned around one by one.
constexpr std::array kCoreFields{Field{0, 2},  Field{2, 2},  Field{4, 1},  Field{5, 1},  Field{8, 4},  Field{12, 4},
                                 Field{16, 4}, Field{20, 2}, Field{22, 2}, Field{56, 8}, Field{64, 8}, Field{72, 4},
                                 Field{82, 1}, Field{83, 1}, Field{84, 4}, Field{88, 2}, Field{90, 2}, Field{92, 4}};
constexpr std::array kCoreV3Fields{Field{104, 8}, Field{120, 8}, Field{128, 4}, Field{152, 8}};
constexpr std::array kTimes{dinode::kAccessed, dinode::kModified, dinode::kChanged};

void turn(ByteView from, std::span<std::byte> to, Field field) {
  std::ranges::reverse_copy(from.subspan(field.offset, field.size), to.subspan(field.offset).begin());
}

void turn_time(ByteView from, std::span<std::byte> to, std::size_t offset, bool bigtime) {
  if (bigtime) return turn(from, to, {offset, 8});
  turn(from, to, {offset, 4});
  turn(from, to, {offset + 4, 4});
}

void zero(std::span<std::byte> to, std::size_t offset, std::size_t size) { std::ranges::fill(to.subspan(offset, size), std::byte{0}); }

void apply_core(ByteView core, std::uint64_t lsn, bool v3, std::span<std::byte> record) {
  const std::uint64_t flags2 = v3 ? load_le<std::uint64_t>(core, dinode::kFlags2) : 0;
  for (const Field field : kCoreFields) turn(core, record, field);
  zero(record, dinode::kOldLinks, 2);
  for (const std::size_t time : kTimes) turn_time(core, record, time, (flags2 & dinode::kFlag2Bigtime) != 0);
  zero(record, dinode::kBigExtents, 8);  // padding and, in version 2, the flush counter
  if ((flags2 & dinode::kFlag2Nrext64) != 0) {
    turn(core, record, {dinode::kBigExtents, 8});
    turn(core, record, {dinode::kBigAttrExtents, 4});
    zero(record, dinode::kAttrExtents, 2);
  } else {
    turn(core, record, {dinode::kExtents, 4});
    turn(core, record, {dinode::kAttrExtents, 2});
  }
  if (!v3) return;
  if ((flags2 & dinode::kFlag2Metadata) != 0) turn(core, record, {dinode::kOldLinks, 2});  // di_metatype
  for (const Field field : kCoreV3Fields) turn(core, record, field);
  turn_time(core, record, dinode::kCreated, (flags2 & dinode::kFlag2Bigtime) != 0);
  zero(record, 132, 12);
  store_be(record, dinode::kLsn, lsn);
  std::ranges::copy(core.subspan(dinode::kUuid, kUuidSize), record.subspan(dinode::kUuid).begin());
}

// The root of a tree is logged as the block that it is in memory, and kept in the inode without that block's header (xfs_bmbt_to_bmdr).
Result<void> apply_root(const Superblock& super, ByteView root, std::span<std::byte> fork, const Location& where) {
  const std::size_t header = super.crc ? btree::kLongCrcHeader : btree::kLongHeader;
  if (root.size() < header || fork.size() < btree::kMapRootHeader) return fail(Code::kCorrupt, "root of an extent tree in the log is cut off", where);
  const std::size_t capacity = (root.size() - header) / btree::kMapRecord;
  const std::size_t fork_capacity = (fork.size() - btree::kMapRootHeader) / btree::kMapRecord;
  const std::size_t records = load_be<std::uint16_t>(root, btree::kRecords);
  if (records > capacity || records > fork_capacity)
    return fail(Code::kCorrupt, fmt::format("root of an extent tree in the log claims {} records", records), where);
  std::ranges::copy(root.subspan(btree::kLevel, 4), fork.begin());  // level and count stand side by side in both
  const auto move = [&](std::size_t from, std::size_t to, std::size_t bytes) {
    std::ranges::copy(root.subspan(from, bytes), fork.subspan(to).begin());
  };
  move(header, btree::kMapRootHeader, records * btree::kMapKey);
  move(header + capacity * btree::kMapKey, btree::kMapRootHeader + fork_capacity * btree::kMapKey, records * btree::kLongPointer);
  return {};
}

Result<void> apply_fork(const Superblock& super, ByteView logged, bool root, std::span<std::byte> fork, const Location& where) {
  if (root) return apply_root(super, logged, fork, where);
  // Regions are rounded up to a multiple of four or eight bytes, the fork is not longer for it.
  if (logged.size() > fork.size() + 8)
    return fail(Code::kCorrupt, fmt::format("fork of {} bytes in the log does not fit the inode", logged.size()), where);
  std::ranges::copy(logged.first(std::min(logged.size(), fork.size())), fork.begin());
  return {};
}

}  // namespace

Result<LoggedInode> parse_logged_inode(const Superblock& super, const LogItem& item, const Location& where) {
  const ByteView format = item.regions.front();
  if (format.size() < log::kInodeFormatOf32Bit || item.regions.size() < 2) return fail(Code::kCorrupt, "inode item of the log is cut off", where);
  const std::size_t shift = format.size() < log::kInodeFormat ? log::kPaddingOf32Bit : 0;
  LoggedInode logged;
  logged.fields = load_le<std::uint32_t>(format, log::kInodeFields);
  logged.inode = load_le<std::uint64_t>(format, log::kInodeNumber - shift);
  logged.device = load_le<std::uint32_t>(format, log::kInodeDevice - shift);
  logged.buffer_block = load_le<std::uint64_t>(format, log::kInodeBlock - shift);
  logged.core = item.regions[1];
  const std::size_t core = super.crc ? dinode::kCoreV3 : dinode::kNextUnlinked;
  if (logged.core.size() < core || load_le<std::uint16_t>(logged.core, 0) != dinode::kMagic || !super.contains_inode(logged.inode))
    return fail(Code::kCorrupt, fmt::format("inode item of the log for inode {} does not hold an inode", logged.inode), where);
  logged.offset = super.inode_offset(logged.inode);
  std::size_t next = 2;
  for (const auto& [mask, fork] : {std::pair{log::kFieldsData, &logged.data}, std::pair{log::kFieldsAttr, &logged.attr}}) {
    if ((logged.fields & mask) == 0) continue;
    if (next >= item.regions.size()) break;  // logged flags without the region: the fork was empty
    *fork = item.regions[next++];
  }
  return logged;
}

bool is_newer_on_disk(const Superblock& super, const LoggedInode& logged, std::uint64_t lsn, ByteView record) {
  if (super.crc) {
    const auto disk = load_be<std::uint64_t>(record, dinode::kLsn);
    return disk != 0 && disk != ~std::uint64_t{0} && disk > lsn;
  }
  constexpr std::uint16_t kMostFlushes = 0xffff;  // DI_MAX_FLUSH; the counter wraps to small numbers
  const auto disk = load_be<std::uint16_t>(record, dinode::kFlushIteration);
  const auto ours = load_le<std::uint16_t>(logged.core, dinode::kFlushIteration);
  return ours < disk && !(disk == kMostFlushes && ours < (kMostFlushes >> 1));
}

Result<void> apply_logged_inode(const Superblock& super, const LoggedInode& logged, std::uint64_t lsn, std::span<std::byte> record,
                                const Location& where) {
  apply_core(logged.core, lsn, super.crc, record);
  const std::size_t core = super.crc ? dinode::kCoreV3 : dinode::kCoreV2;
  const auto forks = record.first(super.inode_size).subspan(core);
  const std::size_t fork_offset = std::size_t{load_be<std::uint8_t>(record, dinode::kForkOffset)} * 8;
  if (fork_offset >= forks.size()) return fail(Code::kCorrupt, "the attribute fork of an inode in the log begins outside of the inode", where);
  const auto data = fork_offset == 0 ? forks : forks.first(fork_offset);
  if ((logged.fields & log::kFieldDevice) != 0) store_be(data, 0, logged.device);
  ICECORE_CHECK(apply_fork(super, logged.data, !logged.data.empty() && (logged.fields & log::kFieldDataRoot) != 0, data, where));
  if (fork_offset != 0)
    ICECORE_CHECK(
        apply_fork(super, logged.attr, !logged.attr.empty() && (logged.fields & log::kFieldAttrRoot) != 0, forks.subspan(fork_offset), where));
  if (!super.crc) return {};
  const std::uint32_t crc = block_crc(record.first(super.inode_size), dinode::kCrc);
  store_le(record, dinode::kCrc, crc);
  return {};
}

}  // namespace icecore::fs::xfs
