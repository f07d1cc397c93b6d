#include "fs/ext4/filesystem_impl.h"

#include <fmt/format.h>
#include <algorithm>

#include "fs/ext4/block_map.h"
#include "fs/ext4/content.h"
#include "fs/ext4/deleted.h"
#include "fs/ext4/directory.h"
#include "fs/ext4/ext4.h"
#include "fs/ext4/journal_overlay.h"
#include "fs/ext4/sweep.h"
#include "fs/ext4/xattr.h"

namespace icecore::fs::ext4 {
namespace {

// No two blocks of a directory are the same, so it cannot be larger than the disk, whatever its inode says.
Result<void> check_no_overlap(const Disk& disk, std::uint64_t inode, std::vector<Run> runs) {
  std::ranges::sort(runs, {}, &Run::physical);
  for (std::size_t i = 1; i < runs.size(); ++i)
    if (runs[i - 1].physical + runs[i - 1].length > runs[i].physical)
      return disk.corrupt("the directory uses a block twice", inode, runs[i].physical);
  return {};
}

}  // namespace

Ext4::Ext4(Disk disk, JournalView view, bool journal_replayed, std::vector<std::uint64_t> orphans)
    : disk_(std::move(disk)), kept_orphans_(view == JournalView::kAsOnDisk ? std::move(orphans) : std::vector<std::uint64_t>{}), view_(view) {
  const Superblock& sb = disk_.superblock;
  info_.type = sb.type();
  info_.label = sb.label;
  info_.uuid = sb.uuid;
  info_.block_size = sb.block_size;
  info_.size = sb.size();
  info_.root_inode = kRootInode;
  info_.journal_replayed = journal_replayed;
}

Result<Inode> Ext4::load_used(std::uint64_t inode) const {
  ICECORE_ASSIGN(Inode loaded, disk_.load_inode(inode));
  if (loaded.view().blank())
    return fail(Code::kNotFound, fmt::format("inode {} is not in use", inode), Location{disk_.source->name(), loaded.offset(), inode});
  return loaded;
}

Result<FileInfo> Ext4::stat(std::uint64_t inode) const {
  ICECORE_ASSIGN(const Inode loaded, load_used(inode));
  FileInfo info = loaded.view().info(disk_.superblock, loaded.offset());
  info.allocated = info.allocated || std::ranges::binary_search(kept_orphans_, inode);
  return info;
}

Result<std::vector<DirectoryEntry>> Ext4::list(std::uint64_t directory) const {
  ICECORE_ASSIGN(const Inode loaded, load_used(directory));
  const InodeView inode = loaded.view();
  const Superblock& sb = disk_.superblock;
  if (inode.type() != FileType::kDirectory)
    return fail(Code::kInvalidArgument, "not a directory", Location{disk_.source->name(), loaded.offset(), directory});
  std::vector<DirectoryEntry> entries;
  const bool encrypted = inode.has(inode_flag::kEncrypt);
  const DirentOptions options{sb.incompat(incompat::kFiletype), false, sb.inodes};
  const auto add = [&](const Dirent& entry) { entries.push_back({shown_name(entry.name, encrypted), entry.inode, entry.type}); };

  if (inode.has(inode_flag::kInlineData)) {
    ICECORE_ASSIGN(const Bytes bytes, inline_content(disk_, inode));
    for (const ByteView part : inline_directory_parts(bytes))
      if (const auto problem = for_each_dirent(part, options, add)) return disk_.corrupt("inline directory: " + *problem, directory);
    return entries;
  }
  const std::uint64_t blocks = (inode.size(sb) + sb.block_size - 1) / sb.block_size;
  const BlockMap map = map_blocks(disk_, inode, 0, blocks);
  if (map.damage) return Failure(*map.damage);
  ICECORE_CHECK(check_no_overlap(disk_, directory, map.runs));
  std::vector<image::ByteRange> ranges;
  for (const Run& run : map.runs) ranges.push_back({run.physical * sb.block_size, run.length * sb.block_size});
  ICECORE_CHECK(disk_.source->prefetch(ranges));
  for (const Run& run : map.runs) {
    for (std::uint64_t i = 0; i < run.length; ++i) {
      ICECORE_ASSIGN(const Bytes block, disk_.load_block(run.physical + i));
      if (const auto problem = for_each_dirent(block, options, add)) return disk_.corrupt("directory: " + *problem, directory, run.physical + i);
    }
  }
  return entries;
}

Result<std::size_t> Ext4::read(std::uint64_t inode, std::uint64_t offset, std::span<std::byte> out) const {
  ICECORE_ASSIGN(const Inode loaded, load_used(inode));
  if (loaded.view().type() != FileType::kRegular)
    return fail(Code::kInvalidArgument, "not a regular file", Location{disk_.source->name(), loaded.offset(), inode});
  return read_content(disk_, loaded.view(), offset, out);
}

Result<std::string> Ext4::readlink(std::uint64_t inode) const {
  ICECORE_ASSIGN(const Inode loaded, load_used(inode));
  if (loaded.view().type() != FileType::kSymlink)
    return fail(Code::kInvalidArgument, "not a symbolic link", Location{disk_.source->name(), loaded.offset(), inode});
  return read_link_target(disk_, loaded.view());
}

Result<std::vector<ExtendedAttribute>> Ext4::xattrs(std::uint64_t inode) const {
  ICECORE_ASSIGN(const Inode loaded, load_used(inode));
  return read_xattrs(disk_, loaded.view());
}

Result<std::vector<Extent>> Ext4::extents(std::uint64_t inode) const {
  ICECORE_ASSIGN(const Inode loaded, load_used(inode));
  const InodeView view = loaded.view();
  std::vector<Extent> extents;
  const FileType type = view.type();
  const bool in_inode = view.has(inode_flag::kInlineData) ||
                        (type == FileType::kSymlink && view.size(disk_.superblock) < kInodeBlockBytes && !view.has(inode_flag::kExtents));
  if (in_inode || (type != FileType::kRegular && type != FileType::kDirectory && type != FileType::kSymlink)) return extents;
  const std::uint64_t block_size = disk_.superblock.block_size;
  const std::uint64_t size = view.size(disk_.superblock);
  const BlockMap map = map_blocks(disk_, view, 0, size / block_size + (size % block_size != 0 ? 1U : 0U));
  if (map.damage) return Failure(*map.damage);
  for (const Run& run : map.runs) extents.push_back({run.logical * block_size, run.physical * block_size, run.length * block_size, run.unwritten});
  return extents;
}

Result<FileTable> Ext4::sweep(const SweepOptions& options, Anomalies& anomalies, Progress& progress) const {
  return sweep_disk(disk_, kept_orphans_, options, anomalies, progress);
}

Result<FilesystemPtr> Ext4::without_recovery(Anomalies& anomalies) const {
  const auto* overlay = dynamic_cast<const JournalOverlay*>(disk_.source.get());
  if (overlay == nullptr) return FilesystemPtr();
  return open(overlay->base(), {JournalView::kAsOnDisk}, anomalies);
}

Result<DeletedFiles> Ext4::deleted_files(const FileTable& table, const PathIndex& paths, Anomalies& anomalies, Progress& progress) const {
  return find_deleted(disk_, view_, table, paths, anomalies, progress);
}

}  // namespace icecore::fs::ext4
