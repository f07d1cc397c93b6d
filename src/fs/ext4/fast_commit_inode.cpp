#include "fs/ext4/fast_commit_inode.h"

#include <algorithm>

#include "core/hash.h"
#include "fs/ext4/extent_tree.h"

namespace icecore::fs::ext4 {
namespace {

void encode_header(std::span<std::byte> out, std::size_t entries, std::size_t depth) {
  store_le16(out, 0, kExtentMagic);
  store_le16(out, 2, entries);
  store_le16(out, 4, out.size() / kExtentEntrySize - 1);
  store_le16(out, 6, depth);
  store_le32(out, 8, 0);
}

}  // namespace

void RangeMap::clear(std::uint64_t logical, std::uint64_t length) {
  const std::uint64_t end = logical + length;
  auto at = runs_.upper_bound(logical);
  if (at != runs_.begin() && std::prev(at)->second.logical + std::prev(at)->second.length > logical) --at;
  while (at != runs_.end() && at->second.logical < end) {
    const Run run = at->second;
    at = runs_.erase(at);
    if (run.logical < logical) runs_.emplace(run.logical, Run{run.logical, run.physical, logical - run.logical, run.unwritten});
    if (run.logical + run.length > end)
      runs_.emplace(end, Run{end, run.physical + (end - run.logical), run.logical + run.length - end, run.unwritten});
  }
}

std::uint64_t RangeMap::find(std::uint64_t logical) const {
  const auto after = runs_.upper_bound(logical);
  if (after == runs_.begin()) return 0;
  const Run& run = std::prev(after)->second;
  return logical - run.logical < run.length ? run.physical + (logical - run.logical) : 0;
}

std::vector<Run> RangeMap::extents() const {
  BlockMap merged;
  for (const auto& [logical, run] : runs_) append_run(merged, run);
  std::vector<Run> extents;
  for (Run run : merged.runs) {
    const std::uint64_t most = run.unwritten ? kInitialisedMaximum - 1 : kInitialisedMaximum;
    while (run.length > 0) {
      const std::uint64_t length = std::min(run.length, most);
      extents.push_back({run.logical, run.physical, length, run.unwritten});
      run = {run.logical + length, run.physical + length, run.length - length, run.unwritten};
    }
  }
  return extents;
}

void encode_extent_leaf(std::span<std::byte> out, std::span<const Run> runs) {
  std::ranges::fill(out, std::byte{0});
  encode_header(out, runs.size(), 0);
  std::size_t at = kExtentEntrySize;
  for (const Run& run : runs) {
    store_le32(out, at, run.logical);
    store_le16(out, at + 4, run.length + (run.unwritten ? kInitialisedMaximum : 0));
    store_le16(out, at + 6, run.physical >> 32);
    store_le32(out, at + 8, run.physical);
    at += kExtentEntrySize;
  }
}

void encode_extent_index(std::span<std::byte> out, std::span<const std::pair<std::uint64_t, std::uint64_t>> children) {
  std::ranges::fill(out, std::byte{0});
  encode_header(out, children.size(), 1);
  std::size_t at = kExtentEntrySize;
  for (const auto& [logical, block] : children) {
    store_le32(out, at, logical);
    store_le32(out, at + 4, block);
    store_le16(out, at + 8, block >> 32);
    at += kExtentEntrySize;
  }
}

void seal_extent_block(std::span<std::byte> block, std::uint32_t inode_seed) {
  const std::size_t tail = kExtentEntrySize * (std::size_t{load_le<std::uint16_t>(block, 4)} + 1);
  if (tail + 4 <= block.size()) store_le32(block, tail, crc32c(inode_seed, ByteView(block).first(tail)));
}

void seal_inode(const Superblock& sb, std::uint64_t number, std::span<std::byte> raw) {
  if (!sb.checksums()) return;
  const std::size_t extra = raw.size() >= kOldInodeSize + 4 ? load_le<std::uint16_t>(raw, inode_field::kExtraSize) : 0;
  const bool wide = raw.size() > kOldInodeSize && kOldInodeSize + extra >= inode_field::kChecksumHi + 2;
  store_le16(raw, inode_field::kChecksumLo, 0);
  if (wide) store_le16(raw, inode_field::kChecksumHi, 0);
  const std::uint32_t crc = crc32c(inode_checksum_seed(sb, number, InodeView(number, raw).generation()), raw);
  store_le16(raw, inode_field::kChecksumLo, crc);
  if (wide) store_le16(raw, inode_field::kChecksumHi, crc >> 16);
}

}  // namespace icecore::fs::ext4
