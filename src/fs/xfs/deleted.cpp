#include "fs/xfs/deleted.h"

#include <algorithm>

#include "fs/xfs/free_space.h"
#include "fs/xfs/log_history.h"
#include "fs/xfs/xfs_filesystem.h"

namespace icecore::fs::xfs {
namespace {

std::vector<Extent> to_extents(const Superblock& super, std::span<const Mapping> mappings) {
  std::vector<Extent> extents;
  for (const Mapping& mapping : mappings)
    extents.push_back({mapping.file_block << super.block_log, super.block_offset(mapping.fs_block), std::uint64_t{mapping.count} << super.block_log,
                       mapping.unwritten});
  return extents;
}

bool all_free(const FreeSpace& space, std::span<const Mapping> mappings) {
  return std::ranges::all_of(mappings, [&](const Mapping& mapping) { return space.holds(mapping.fs_block, mapping.count); });
}

// The log's last copy of the life that ended in this free inode: xfs_ifree counts the generation up by one.
const InodeLife* last_life(const InodeLives& lives, const FileInfo& free) {
  const auto found = lives.find({free.inode, free.generation - 1});
  return found == lives.end() ? nullptr : &found->second;
}

void take_life(const InodeLife& life, DeletedFile& file) {
  const auto deleted = file.info.deleted;
  const auto changed = file.info.changed;
  file.info = life.info;
  file.info.allocated = false;
  file.info.deleted = deleted;
  if (deleted) file.info.changed = changed;
  file.size_exact = true;
}

}  // namespace

Result<std::vector<DeletedFile>> find_deleted(const Filesystem& filesystem, Anomalies& anomalies, Progress& progress) {
  const auto* xfs = dynamic_cast<const XfsFilesystem*>(&filesystem);
  if (xfs == nullptr) return fail(Code::kInvalidArgument, "the filesystem is no XFS", Location{filesystem.source().name()});
  const Reader& reader = xfs->reader();
  ICECORE_ASSIGN(const FileTable table, filesystem.sweep({true}, anomalies, progress));
  ICECORE_ASSIGN(InodeLives lives, read_inode_history(reader, anomalies));
  ICECORE_ASSIGN(const FreeSpace space, read_free_space(reader, anomalies));
  std::vector<DeletedFile> found;
  for (const FileInfo& info : table.files) {
    if (info.allocated) continue;
    DeletedFile file;
    file.info = info;
    auto mappings = xfs->mappings(info.inode);
    if (!mappings) mappings = std::vector<Mapping>{};
    if (const InodeLife* life = info.mode == 0 ? last_life(lives, info) : nullptr) {
      take_life(*life, file);
      // The free inode's own records are as they were when it was last written; the log's may be newer.
      if (!life->mappings.empty()) {
        *mappings = life->mappings;
        file.from_log = true;
      }
      lives.erase({info.inode, info.generation - 1});
    }
    file.extents = to_extents(reader.super, *mappings);
    file.content_free = !mappings->empty() && (info.mode != 0 || all_free(space, *mappings));
    found.push_back(std::move(file));
  }
  for (const auto& [key, life] : lives) {
    const FileInfo* now = table.find(key.first);
    // Its own inode, live or still to be freed; or a record of a life that the disk does not know the end of.
    if (now == nullptr || now->mode == 0 || now->generation == key.second) continue;
    DeletedFile file;
    take_life(life, file);
    file.from_log = !life.mappings.empty();
    file.inode_reused = true;
    file.extents = to_extents(reader.super, life.mappings);
    file.content_free = !life.mappings.empty() && all_free(space, life.mappings);
    found.push_back(std::move(file));
  }
  std::ranges::stable_sort(found, {}, [](const DeletedFile& file) { return file.info.inode; });
  return found;
}

Result<std::size_t> read_deleted(const Filesystem& filesystem, const DeletedFile& file, std::uint64_t offset, std::span<std::byte> out) {
  if (offset >= file.info.size) return std::size_t{0};
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), file.info.size - offset));
  std::ranges::fill(out.first(length), std::byte{0});
  for (const Extent& extent : file.extents) {
    const std::uint64_t begin = std::max(extent.file_offset, offset);
    const std::uint64_t end = std::min(extent.file_offset + extent.length, offset + length);
    if (extent.unwritten || begin >= end) continue;
    ICECORE_CHECK(filesystem.source().read(extent.source_offset + (begin - extent.file_offset),
                                           out.subspan(static_cast<std::size_t>(begin - offset), static_cast<std::size_t>(end - begin))));
  }
  return length;
}

}  // namespace icecore::fs::xfs
