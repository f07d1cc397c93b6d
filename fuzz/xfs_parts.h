// What the targets of the XFS parsers share: a filesystem of a shape that is always sound, on a disk of which only the input's pieces are not zero.
// Checksums of version 5 are made right, or nothing behind them would be reached. An input is
//   0  flags (u8): the bits below          1  block size's log2 less 9 (low half, mod 8), inode size's less 8 (high half, mod 4)
//   2  directory block's log2 less the block's (mod 8)    3  allocation groups less 1 (u8)    4  blocks of a group (u32)
//   8  the target's own number (u64): an inode, a level    16  pieces: sector of the disk (u32), length (u16), bytes
// all little-endian. fuzz/make_xfs_seeds writes it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "disk.h"
#include "fs/xfs/buffer_identity.h"
#include "fs/xfs/inode.h"
#include "fs/xfs/reader.h"

namespace icecore::fuzz::xfs {

namespace fsx = fs::xfs;

inline constexpr std::uint8_t kFlagCrc = 1, kFlagFtype = 2, kFlagSparseInodes = 4, kFlagOwn = 8;

/// For what a parser promises of every value that it gives.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "ERROR: promise broken: %s\n", what);
  std::abort();
}

// Of a block that a piece begins: the ones that stop a reader (fs/xfs/xfs.h).
inline void repair_checksums(const fsx::Superblock& super, SparseDisk& disk) {
  const std::size_t pieces = disk.pieces().size();
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::uint64_t offset = disk.pieces()[i].offset;
    if (offset % super.block_size != 0) continue;
    Bytes block(512);
    disk.copy(offset, block);
    std::optional<std::size_t> crc;
    if (const auto identity = fsx::identify_buffer(block)) crc = identity->crc;
    const auto magic = load_be<std::uint32_t>(block, 0);
    if (magic == fsx::da::kRemoteMagic) crc = fsx::da::kRemoteCrc;
    if (!crc) continue;
    std::size_t bytes = super.block_size;
    if (magic == fsx::da::kSymlinkMagic)  // one checksum for all its blocks
      bytes = (fsx::da::kRemoteHeader + load_be<std::uint32_t>(block, fsx::da::kRemoteBytes) % 4096 + bytes - 1) >> super.block_log
                                                                                                                        << super.block_log;
    block.resize(bytes);
    disk.copy(offset, block);
    disk.cover(offset + *crc, fsx::block_crc(block, *crc));
  }
}

struct Input {
  std::uint8_t flags = 0;
  std::uint64_t number = 0;
  fsx::Reader reader;
};

/// Through parse_superblock, so that what the parsers may rely on holds.
inline fsx::Superblock superblock_of(ByteView head) {
  const auto flags = load_le<std::uint8_t>(head, 0), sizes = load_le<std::uint8_t>(head, 1);
  const unsigned block_log = 9 + sizes % 8, inode_log = std::min(8 + (sizes >> 4) % 4U, block_log);
  const unsigned directory_log = std::min<unsigned>(load_le<std::uint8_t>(head, 2) % 8, 16 - block_log);
  const std::uint32_t groups = load_le<std::uint8_t>(head, 3) + 1U;
  const std::uint32_t group_blocks = std::clamp<std::uint32_t>(load_le<std::uint32_t>(head, 4), 64, 1U << 24);
  namespace sb = fsx::sb;
  Bytes sector(sb::kSize);
  const auto put = [&]<typename T>(std::size_t at, T value) { store_be<T>(sector, at, value); };
  put(0, sb::kMagic);
  put(sb::kBlockSize, 1U << block_log);
  put(sb::kSectorSize, std::uint16_t{512});
  put(sb::kInodeSize, static_cast<std::uint16_t>(1U << inode_log));
  put(sb::kDirBlockLog, static_cast<std::uint8_t>(directory_log));
  put(sb::kAgBlocks, group_blocks);
  put(sb::kAgCount, groups);
  put(sb::kAgBlockLog, static_cast<std::uint8_t>(std::bit_width(group_blocks - 1)));
  put(sb::kDataBlocks, std::uint64_t{group_blocks} * groups);
  const bool crc = (flags & kFlagCrc) != 0, ftype = (flags & kFlagFtype) != 0;
  put(sb::kVersion, static_cast<std::uint16_t>((crc ? 5 : 4) | sb::kVersionDirV2 | sb::kVersionMoreBits));
  put(sb::kFeatures2, ftype ? sb::kFeature2Ftype : 0U);
  put(sb::kIncompatible, (ftype ? sb::kIncompatibleFtype : 0U) | ((flags & kFlagSparseInodes) != 0 ? sb::kIncompatibleSparseInodes : 0U));
  std::ranges::copy(as_bytes("icecore"), sector.begin() + sb::kUuid);  // as the seeds' mkfs was told
  auto super = fsx::parse_superblock(sector, "fuzz");
  require(super.has_value(), "a sound superblock is read");
  return std::move(*super);
}

/// nullopt where the input is too short. The disk keeps views of `in`.
inline std::optional<Input> input_of(ByteView in) {
  constexpr std::size_t kHead = 16, kPieceHead = 6, kMostPieces = 128;
  if (in.size() < kHead) return std::nullopt;
  const NotCounted own;
  Input input;
  input.flags = load_le<std::uint8_t>(in, 0);
  input.number = load_le<std::uint64_t>(in, 8);
  input.reader.super = superblock_of(in);
  std::vector<SparseDisk::Piece> pieces;
  for (std::size_t at = kHead; at + kPieceHead < in.size() && pieces.size() < kMostPieces;) {
    const std::size_t length = std::min<std::size_t>(load_le<std::uint16_t>(in, at + 4), in.size() - at - kPieceHead);
    pieces.push_back({std::uint64_t{load_le<std::uint32_t>(in, at)} * 512, in.subspan(at + kPieceHead, length)});
    at += kPieceHead + length;
  }
  const auto disk = std::make_shared<SparseDisk>(input.reader.super.size(), std::move(pieces));
  if (input.reader.super.crc) repair_checksums(input.reader.super, *disk);
  input.reader.source = disk;
  return input;
}

/// The input's inode. Its forks are views of `record`.
struct InodeInput {
  Input input;
  Bytes record;
  fsx::Inode inode;
};

/// The record of the inode that the input's number names; nullopt where no inode can have it.
inline std::optional<Bytes> record_of(const Input& input) {
  const fsx::Superblock& super = input.reader.super;
  if (!super.contains_inode(input.number)) return std::nullopt;
  auto record = input.reader.bytes(super.inode_offset(input.number), super.inode_size);
  require(record.has_value(), "an inode of the filesystem is on its disk");
  return std::move(*record);
}

/// nullopt where the input has none that can be one.
inline std::optional<InodeInput> inode_of(ByteView in) {
  auto input = input_of(in);
  if (!input) return std::nullopt;
  auto record = record_of(*input);
  if (!record) return std::nullopt;
  auto inode = fsx::parse_inode(input->reader.super, input->number, *record, "fuzz");
  if (!inode) return std::nullopt;
  return InodeInput{std::move(*input), std::move(*record), std::move(*inode)};  // a moved vector keeps its bytes where they are
}

}  // namespace icecore::fuzz::xfs
