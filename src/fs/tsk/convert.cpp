#include "fs/tsk/convert.h"

#include <algorithm>

#include "core/text.h"

namespace icecore::fs::tsk {
namespace {

constexpr std::string_view kLabelEntry = " (Volume Label Entry)";
constexpr int kMaximumStreams = 1000;

Timestamp time_of(time_t seconds, std::uint64_t nanoseconds) {
  return {seconds, static_cast<std::uint32_t>(std::min<std::uint64_t>(nanoseconds, 999'999'999))};
}

std::uint32_t type_bits(FileType type) {
  switch (type) {
    case FileType::kRegular: return 0100000;
    case FileType::kDirectory: return 0040000;
    case FileType::kSymlink: return 0120000;
    case FileType::kCharacterDevice: return 0020000;
    case FileType::kBlockDevice: return 0060000;
    case FileType::kFifo: return 0010000;
    case FileType::kSocket: return 0140000;
    default: return 0;
  }
}

}  // namespace

FileType type_of(TSK_FS_META_TYPE_ENUM type) {
  switch (type) {
    case TSK_FS_META_TYPE_REG: return FileType::kRegular;
    case TSK_FS_META_TYPE_DIR: return FileType::kDirectory;
    case TSK_FS_META_TYPE_FIFO: return FileType::kFifo;
    case TSK_FS_META_TYPE_CHR: return FileType::kCharacterDevice;
    case TSK_FS_META_TYPE_BLK: return FileType::kBlockDevice;
    case TSK_FS_META_TYPE_LNK: return FileType::kSymlink;
    case TSK_FS_META_TYPE_SOCK: return FileType::kSocket;
    default: return FileType::kUnknown;
  }
}

FileType type_of(TSK_FS_NAME_TYPE_ENUM type) {
  switch (type) {
    case TSK_FS_NAME_TYPE_REG: return FileType::kRegular;
    case TSK_FS_NAME_TYPE_DIR: return FileType::kDirectory;
    case TSK_FS_NAME_TYPE_FIFO: return FileType::kFifo;
    case TSK_FS_NAME_TYPE_CHR: return FileType::kCharacterDevice;
    case TSK_FS_NAME_TYPE_BLK: return FileType::kBlockDevice;
    case TSK_FS_NAME_TYPE_LNK: return FileType::kSymlink;
    case TSK_FS_NAME_TYPE_SOCK: return FileType::kSocket;
    default: return FileType::kUnknown;
  }
}

FileInfo info_of(const TSK_FS_META& meta) {
  FileInfo info;
  info.inode = meta.addr;
  info.size = static_cast<std::uint64_t>(std::max<TSK_OFF_T>(meta.size, 0));
  info.accessed = time_of(meta.atime, meta.atime_nano);
  info.modified = time_of(meta.mtime, meta.mtime_nano);
  info.changed = time_of(meta.ctime, meta.ctime_nano);
  if (meta.crtime != 0) info.born = time_of(meta.crtime, meta.crtime_nano);
  info.type = type_of(meta.type);
  info.mode = type_bits(info.type) | (static_cast<std::uint32_t>(meta.mode) & 07777U);
  info.uid = meta.uid;
  info.gid = meta.gid;
  info.links = static_cast<std::uint32_t>(std::max(meta.nlink, 0));
  info.generation = meta.seq;
  info.allocated = (meta.flags & TSK_FS_META_FLAG_ALLOC) != 0;
  return info;
}

bool is_artificial(const TSK_FS_NAME& name) {
  if (name.name == nullptr || *name.name == '\0') return true;
  if (name.type == TSK_FS_NAME_TYPE_VIRT || name.type == TSK_FS_NAME_TYPE_VIRT_DIR) return true;
  const std::string_view text(name.name);
  if (text == "." || text == "..") return true;
  static constexpr std::string_view kTables[] = {"$ALLOC_BITMAP", "$UPCASE_TABLE",      "$VOLUME_GUID",
                                                 "$TEX_FAT",      "$ACCESS_CTRL_TABLE", "$EMPTY_VOLUME_LABEL"};
  return text.ends_with(kLabelEntry) || std::ranges::find(kTables, text) != std::end(kTables);
}

std::string label_in(const TSK_FS_NAME& name) {
  if (name.name == nullptr || (name.flags & TSK_FS_NAME_FLAG_ALLOC) == 0) return {};
  const std::string_view text(name.name);
  if (!text.ends_with(kLabelEntry)) return {};
  return std::string(trim(text.substr(0, text.size() - kLabelEntry.size())));
}

std::vector<Stream> streams_of(TSK_FS_FILE& file) {
  std::vector<Stream> streams;
  const int count = std::min(tsk_fs_file_attr_getsize(&file), kMaximumStreams);
  for (int i = 0; i < count; ++i) {
    const TSK_FS_ATTR* const attribute = tsk_fs_file_attr_get_idx(&file, i);
    if (attribute == nullptr || attribute->type != TSK_FS_ATTR_TYPE_NTFS_DATA || attribute->name == nullptr || *attribute->name == '\0') continue;
    streams.push_back({attribute->name, attribute->id, static_cast<std::uint64_t>(std::max<TSK_OFF_T>(attribute->size, 0))});
  }
  return streams;
}

FileInfo stream_info(FileInfo file, const Stream& stream) {
  file.inode = stream_inode(file.inode, stream.attribute);
  file.size = stream.size;
  file.type = FileType::kRegular;
  file.mode = 0100000 | (file.mode & 07777U);
  return file;
}

std::vector<Extent> extents_of(const TSK_FS_INFO& filesystem, const TSK_FS_ATTR& attribute, std::size_t most, std::uint64_t written) {
  std::vector<Extent> extents;
  if ((attribute.flags & TSK_FS_ATTR_NONRES) == 0 || (attribute.flags & TSK_FS_ATTR_COMP) != 0) return extents;
  const std::uint64_t block = filesystem.block_size, base = static_cast<std::uint64_t>(filesystem.offset), skip = attribute.nrd.skiplen;
  const std::uint64_t blocks = filesystem.last_block + 1;  // an APFS volume's block_count is what it holds, and its addresses are its container's
  const auto size = static_cast<std::uint64_t>(std::max<TSK_OFF_T>(attribute.size, 0));
  written = std::min(written, static_cast<std::uint64_t>(std::max<TSK_OFF_T>(attribute.nrd.initsize, 0)));
  const auto add = [&](std::uint64_t from, std::uint64_t to, std::uint64_t at, bool unwritten) {
    if (from < to) extents.push_back({from, at, to - from, unwritten});
  };
  for (const TSK_FS_ATTR_RUN* run = attribute.nrd.run; run != nullptr && extents.size() < most; run = run->next) {
    if ((run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER)) != 0 || block == 0) continue;
    if (run->len > blocks || run->addr > blocks || run->offset > (UINT64_MAX >> 1) / block) continue;
    const std::uint64_t begin = std::max(run->offset * block, skip), end = std::min((run->offset + run->len) * block, size + skip);
    if (begin >= end) continue;
    const std::uint64_t at = base + run->addr * block + (begin - run->offset * block);
    const std::uint64_t from = begin - skip, to = end - skip, border = std::clamp(written, from, to);
    add(from, border, at, false);
    add(border, to, at + (border - from), true);
  }
  return extents;
}

}  // namespace icecore::fs::tsk
