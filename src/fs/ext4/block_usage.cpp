#include "fs/ext4/block_usage.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/interrupt.h"
#include "fs/ext4/sweep_parts.h"

namespace icecore::fs::ext4 {
namespace {

constexpr std::size_t kTableBytes = std::size_t{1} << 20;  // of the inode tables at once

bool has_blocks(const FileInfo& file) {
  return file.allocated && (file.type == FileType::kRegular || file.type == FileType::kDirectory || file.type == FileType::kSymlink);
}

}  // namespace

Result<Bytes> BlockBitmaps::read(std::uint64_t group) const {
  const Group& descriptor = disk_.groups[group];
  ICECORE_ASSIGN(Bytes bitmap, disk_.load_block(descriptor.block_bitmap));
  if (checked_ && !block_bitmap_checksum_ok(disk_.superblock, descriptor, bitmap))
    return fail(Code::kCorrupt, fmt::format("checksum of the block bitmap of group {} is wrong: all its blocks are taken to be in use", group),
                Location{disk_.source->name(), descriptor.block_bitmap * disk_.superblock.block_size});
  return bitmap;
}

Result<void> BlockBitmaps::load(const BlockSet& blocks, Anomalies& anomalies) {
  const Superblock& sb = disk_.superblock;
  std::vector<std::uint64_t> groups;
  for (const auto& [start, end] : blocks.spans())
    for (std::uint64_t group = group_of(start); group <= group_of(end - 1) && group < disk_.groups.size(); ++group)
      if (used_.try_emplace(group).second) groups.push_back(group);
  std::vector<image::ByteRange> ranges;
  for (const std::uint64_t group : groups)
    if ((disk_.groups[group].flags & kGroupBlockUninit) == 0 && disk_.inside(disk_.groups[group].block_bitmap, 1))
      ranges.push_back({disk_.groups[group].block_bitmap * sb.block_size, sb.block_size});
  std::ranges::sort(ranges, {}, &image::ByteRange::offset);
  ICECORE_CHECK(disk_.source->prefetch(ranges));
  for (const std::uint64_t group : groups) {
    if (interrupted()) return interruption();
    if ((disk_.groups[group].flags & kGroupBlockUninit) != 0) continue;  // nothing of it was ever given to a file
    const auto bitmap = read(group);
    if (!bitmap && !is_evidence_error(bitmap.error())) return Failure(bitmap.error());
    if (!bitmap) anomalies.add("ext4.block-bitmap", bitmap.error());
    const std::uint64_t first = sb.first_data_block + group * sb.blocks_per_group;
    used_[group] = bitmap ? decode(group, *bitmap) : std::vector<BlockSpan>{{first, first + sb.blocks_per_group}};
  }
  return {};
}

std::vector<BlockSpan> BlockBitmaps::decode(std::uint64_t group, ByteView bitmap) const {
  const Superblock& sb = disk_.superblock;
  const std::uint64_t first = sb.first_data_block + group * sb.blocks_per_group;
  const std::uint64_t bits = std::min<std::uint64_t>(bitmap.size() * 8, (sb.blocks_per_group + sb.cluster_blocks - 1) / sb.cluster_blocks);
  std::vector<BlockSpan> used;
  for (std::uint64_t bit = 0; bit < bits; ++bit) {
    if ((std::to_integer<unsigned>(bitmap[static_cast<std::size_t>(bit / 8)]) >> (bit % 8) & 1U) == 0) continue;
    const std::uint64_t start = first + bit * sb.cluster_blocks;
    if (!used.empty() && used.back().end == start)
      used.back().end += sb.cluster_blocks;
    else
      used.push_back({start, start + sb.cluster_blocks});
  }
  return used;
}

void BlockBitmaps::append_used(std::uint64_t start, std::uint64_t end, std::vector<BlockSpan>& out) const {
  if (start >= end) return;
  for (std::uint64_t group = group_of(start); group <= group_of(end - 1); ++group) {
    const auto found = used_.find(group);
    if (found == used_.end()) {  // a group that the disk does not have
      out.push_back({start, end});
      return;
    }
    const auto& used = found->second;
    for (auto at = std::ranges::upper_bound(used, start, {}, &BlockSpan::end); at != used.end() && at->start < end; ++at)
      out.push_back({std::max(start, at->start), std::min(end, at->end)});
  }
}

Result<BlockSet> live_blocks_within(const Disk& disk, const FileTable& table, const BlockSet& asked) {
  BlockSet held;
  if (asked.empty()) return held;
  const Superblock& sb = disk.superblock;
  const auto add = [&](const BlockMap& map) {
    for (const Run& run : map.runs)
      if (asked.overlaps(run.physical, run.physical + run.length)) held.add(run.physical, run.physical + run.length);
  };
  Bytes buffer;
  std::uint64_t buffer_start = 0;
  std::vector<Inode> trees;
  std::vector<image::ByteRange> index_blocks;
  for (const FileInfo& file : table.files) {
    if (!has_blocks(file) || file.inode_offset + sb.inode_size > disk.source->size()) continue;
    if (file.inode_offset < buffer_start || file.inode_offset + sb.inode_size > buffer_start + buffer.size()) {
      if (interrupted()) return interruption();
      buffer_start = file.inode_offset;
      buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kTableBytes, disk.source->size() - buffer_start)));
      // Only this group's table: what is behind it need not be here yet.
      const std::uint64_t rest = sb.inodes_per_group - (file.inode - 1) % sb.inodes_per_group;
      buffer.resize(std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(rest * sb.inode_size)));
      if (const auto read = disk.source->read(buffer_start, buffer); !read) {
        if (!is_evidence_error(read.error())) return Failure(read.error());
        buffer.clear();
        continue;
      }
    }
    const ByteView raw = ByteView(buffer).subspan(static_cast<std::size_t>(file.inode_offset - buffer_start), sb.inode_size);
    const InodeView inode(file.inode, raw);
    if (inode.has(inode_flag::kInlineData) || (file.type == FileType::kSymlink && file.size < kInodeBlockBytes)) continue;
    const std::size_t before = index_blocks.size();
    append_index_blocks(disk, inode, index_blocks);
    if (index_blocks.size() > before)
      trees.emplace_back(file.inode, Bytes(raw.begin(), raw.end()), file.inode_offset);
    else
      add(map_blocks(disk, inode, 0, file.size / sb.block_size + 1));
  }
  ICECORE_CHECK(disk.source->prefetch(index_blocks));
  const std::uint64_t most = disk.source->size() / sb.block_size;  // index blocks belong to one file each
  std::uint64_t read = 0;
  for (const Inode& inode : trees) {
    if (interrupted()) return interruption();
    if (read > most) break;
    const BlockMap map = map_blocks(disk, inode.view(), 0, inode.view().size(sb) / sb.block_size + 1);
    read += map.index_blocks + 1;
    add(map);
  }
  return held;
}

}  // namespace icecore::fs::ext4
