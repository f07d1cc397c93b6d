#include "fs/xfs/log_buffers.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "fs/xfs/buffer_identity.h"
#include "fs/xfs/xfs_log_format.h"

// After Linux fs/xfs/xfs_buf_item_recover.c and xfs_icreate_item.c.

namespace icecore::fs::xfs {
namespace {

constexpr std::uint32_t kMostBufferBlocks = 65536 / kBasicBlock;  // XFS_MAX_BLOCKSIZE: no buffer is larger

void store(std::span<std::byte> to, std::size_t offset, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) to[offset + i] = static_cast<std::byte>(value >> (8 * (size - 1 - i)));
}

Bytes empty_inode(const Superblock& super, std::uint64_t inode, std::uint32_t generation) {
  Bytes record(super.inode_size);
  store(record, 0, dinode::kMagic, 2);
  store(record, dinode::kVersion, super.crc ? 3 : 2, 1);
  store(record, dinode::kGeneration, generation, 4);
  store(record, dinode::kNextUnlinked, kNullAgInode, 4);
  if (!super.crc) return record;
  store(record, dinode::kInode, inode, 8);
  std::ranges::copy(super.meta_uuid, record.begin() + dinode::kUuid);
  store(record, dinode::kCrc, byte_swap(block_crc(record, dinode::kCrc)), 4);
  return record;
}

bool is_set(ByteView map, std::size_t bit) { return ((load_le<std::uint32_t>(map, bit / 32 * 4) >> (bit % 32)) & 1U) != 0; }

}  // namespace

Result<LoggedBuffer> parse_logged_buffer(const LogItem& item, const Location& where) {
  const ByteView format = item.regions.front();
  if (format.size() < log::kBufferMap) return fail(Code::kCorrupt, "buffer item of the log is cut off", where);
  LoggedBuffer buffer;
  buffer.flags = load_le<std::uint16_t>(format, log::kBufferFlags);
  buffer.blocks = load_le<std::uint16_t>(format, log::kBufferLength);
  buffer.block = load_le<std::uint64_t>(format, log::kBufferBlock);
  const std::size_t words = std::min<std::size_t>(load_le<std::uint32_t>(format, log::kBufferMapSize), (format.size() - log::kBufferMap) / 4);
  buffer.map = format.subspan(log::kBufferMap, words * 4);
  if (buffer.block > (~std::uint64_t{0} >> 12) || buffer.blocks > kMostBufferBlocks)
    return fail(Code::kCorrupt, fmt::format("buffer item of the log at block {:#x} of {} blocks", buffer.block, buffer.blocks), where);
  return buffer;
}

bool CancelTable::covers(std::uint64_t block) const {
  const auto after = counts_.upper_bound({block, ~std::uint32_t{0}});
  if (after == counts_.begin()) return false;
  const auto& [start, length] = std::prev(after)->first;
  return block < start + length;
}

bool CancelTable::covers_all(std::uint64_t begin, std::uint64_t end) const {
  std::uint64_t at = begin;
  while (at < end) {
    const auto after = counts_.upper_bound({at, ~std::uint32_t{0}});
    if (after == counts_.begin()) return false;
    const auto& [start, length] = std::prev(after)->first;
    if (at >= start + length) return false;
    at = start + length;
  }
  return true;
}

void CancelTable::take(const LoggedBuffer& buffer) {
  const auto found = counts_.find({buffer.block, buffer.blocks});
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

Result<bool> apply_buffer(const Superblock& super, const LogItem& item, const LoggedBuffer& buffer, std::uint64_t lsn, Overlay& overlay,
                          const Location& where) {
  const std::uint64_t offset = buffer.block * kBasicBlock;
  if (buffer.blocks == 0) return false;
  Bytes first(kBasicBlock);
  ICECORE_CHECK(overlay.read(offset, first));
  // Version 5: a block of this filesystem that is as new as the item stays (xlog_recover_get_buf_lsn).
  if (const auto identity = super.crc ? identify_buffer(first) : std::nullopt) {
    const auto disk = load_be<std::uint64_t>(first, identity->lsn);
    const bool ours = std::ranges::equal(ByteView(first).subspan(identity->uuid, kUuidSize), super.meta_uuid);
    if (ours && disk != 0 && disk != ~std::uint64_t{0} && disk >= lsn) return false;
  }
  std::size_t region = 1;
  const std::size_t bits = std::min(buffer.map.size() * 8, std::size_t{buffer.blocks} * (kBasicBlock / log::kChunk));
  for (std::size_t bit = 0; bit < bits;) {
    if (!is_set(buffer.map, bit)) {
      ++bit;
      continue;
    }
    std::size_t run = 1;
    while (bit + run < bits && is_set(buffer.map, bit + run)) ++run;
    if (region >= item.regions.size())
      return fail(Code::kCorrupt, fmt::format("buffer item of the log at block {:#x} lacks regions", buffer.block), where);
    const ByteView bytes = item.regions[region++];
    // A run of bits may be in several regions: the buffer's pages were not side by side in memory.
    run = std::min(run, bytes.size() / log::kChunk);
    if (run == 0) return fail(Code::kCorrupt, fmt::format("buffer item of the log at block {:#x} has a region too short", buffer.block), where);
    ICECORE_CHECK(overlay.write(offset + bit * log::kChunk, bytes.first(run * log::kChunk)));
    bit += run;
  }
  return region > 1;
}

Result<void> apply_inode_creation(const Superblock& super, const LogItem& item, const CancelTable& cancelled, Overlay& overlay,
                                  const Location& where) {
  const ByteView format = item.regions.front();
  if (format.size() < log::kCreateFormat) return fail(Code::kCorrupt, "inode creation item of the log is cut off", where);
  const auto number = [&](std::size_t offset) { return load_be<std::uint32_t>(format, offset); };
  const std::uint64_t first_block = super.block_of(number(log::kCreateAg), number(log::kCreateBlock));
  const std::uint32_t count = number(log::kCreateCount);
  const std::uint32_t length = number(log::kCreateLength);
  if (number(log::kCreateAg) >= super.ag_count || number(log::kCreateInodeSize) != super.inode_size || length == 0 ||
      !super.contains_block(first_block, length) || count != std::uint64_t{length} * super.inodes_per_block() || count > btree::kInodesPerChunk * 16)
    return fail(Code::kCorrupt, fmt::format("inode creation item of the log for {} inodes at {:#x} makes no sense", count, first_block), where);
  const std::uint64_t offset = super.block_offset(first_block);
  if (cancelled.covers_all(offset / kBasicBlock, (offset + (std::uint64_t{length} << super.block_log)) / kBasicBlock)) return {};
  const std::uint64_t first_inode = first_block << super.inodes_per_block_log;
  for (std::uint32_t i = 0; i < count; ++i)
    ICECORE_CHECK(overlay.write(offset + std::uint64_t{i} * super.inode_size, empty_inode(super, first_inode + i, number(log::kCreateGeneration))));
  return {};
}

Result<void> stamp_checksum(const LoggedBuffer& buffer, Overlay& overlay) {
  Bytes block(std::size_t{buffer.blocks} * kBasicBlock);
  ICECORE_CHECK(overlay.read(buffer.block * kBasicBlock, block));
  const auto identity = identify_buffer(block);
  if (!identity) return {};
  std::array<std::byte, 4> crc;
  store(crc, 0, byte_swap(block_crc(block, identity->crc)), 4);
  return overlay.write(buffer.block * kBasicBlock + identity->crc, crc);
}

}  // namespace icecore::fs::xfs
