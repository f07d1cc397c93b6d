#include "fs/tsk/tsk_filesystem.h"

#include <fmt/format.h>
#include <tsk/fs/tsk_ntfs.h>
#include <algorithm>

#include "core/text.h"
#include "fs/tsk/exfat_set.h"

namespace icecore::fs::tsk {
namespace {

constexpr std::size_t kOpenFiles = 8;
constexpr std::size_t kMaximumRuns = 1'000'000;
constexpr std::uint64_t kMaximumXattr = 64 << 10;

bool is_directory(const TSK_FS_FILE& file) { return file.meta != nullptr && type_of(file.meta->type) == FileType::kDirectory; }

}  // namespace

Result<std::shared_ptr<const TskFilesystem>> TskFilesystem::make(std::shared_ptr<Handle> handle, FilesystemInfo info) {
  std::shared_ptr<TskFilesystem> filesystem(new TskFilesystem(std::move(handle), std::move(info)));
  ICECORE_CHECK(filesystem->look_around());
  return std::shared_ptr<const TskFilesystem>(filesystem);
}

TskFilesystem::~TskFilesystem() {
  (void)handle_->run<void>([&](TSK_FS_INFO&) -> Result<void> {
    open_.clear();
    return {};
  });
}

Result<void> TskFilesystem::look_around() {
  if (info_.type == "vfat" || info_.type == "exfat") {
    ICECORE_ASSIGN(fat_, read_fat_geometry(source(), info_.type == "exfat"));
    info_.uuid = fat_->uuid;
    info_.label = fat_->label;
  }
  return handle_->run<void>([&](TSK_FS_INFO& fs) -> Result<void> {
    info_.block_size = fs.block_size;
    info_.size = (fs.last_block + 1) * fs.block_size;  // for APFS the container's, which its volumes share
    info_.root_inode = fs.root_inum;
    ntfs_ = TSK_FS_TYPE_ISNTFS(fs.ftype);
    if (fs.ftype == TSK_FS_TYPE_ISO9660) iso_ = iso_records(fs);
    if (ntfs_) {
      mft_record_ = reinterpret_cast<const NTFS_INFO&>(fs).mft_rsize_b;
      if (mft_record_ == 0 || fs.last_inum > source().size() / mft_record_ + 64)
        return fail(Code::kCorrupt, fmt::format("the master file table claims {} records, more than the volume has room for", fs.last_inum),
                    where(0));
      mft_ = extents_under_lock(0);
      ICECORE_ASSIGN(TSK_FS_FILE* const volume, file(3));  // $Volume
      const TSK_FS_ATTR* const name = tsk_fs_file_attr_get_type(volume, TSK_FS_ATTR_TYPE_NTFS_VNAME, 0, 0);
      if (name != nullptr && (name->flags & TSK_FS_ATTR_RES) != 0 && name->rd.buf != nullptr) {
        const auto size = std::min<std::size_t>(name->rd.buf_size, static_cast<std::size_t>(std::clamp<TSK_OFF_T>(name->size, 0, 256)));
        for (std::size_t i = 0; i + 1 < size; i += 2)  // a label beyond Latin-1 shows "?" there
          info_.label += name->rd.buf[i + 1] == 0 && name->rd.buf[i] < 0x80 ? static_cast<char>(name->rd.buf[i]) : '?';
      }
    }
    if (!fat_) return {};
    ICECORE_ASSIGN(const DirectoryPtr root, folder(fs.root_inum));
    for (std::size_t i = 0; i < tsk_fs_dir_getsize(root.get()); ++i)
      if (std::string label = label_in(*tsk_fs_dir_get_name(root.get(), i)); !label.empty()) info_.label = std::move(label);
    return {};
  });
}

Result<TSK_FS_FILE*> TskFilesystem::file(std::uint64_t inode) const {
  const std::uint64_t wanted = ntfs_ ? base_inode(inode) : inode;
  const auto found = std::ranges::find(open_, wanted, &OpenFile::inode);
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
    return open_.front().file.get();
  }
  TSK_FS_INFO& fs = handle_->filesystem();
  if (wanted > fs.last_inum) return fail(Code::kNotFound, fmt::format("there is no inode {}", wanted), where(inode));
  FilePtr opened(tsk_fs_file_open_meta(&fs, nullptr, wanted));
  if (!opened || opened->meta == nullptr) return handle_->refusal("read the inode", inode);
  open_.push_front({wanted, std::move(opened)});
  if (open_.size() > kOpenFiles) open_.pop_back();
  return open_.front().file.get();
}

Result<DirectoryPtr> TskFilesystem::folder(std::uint64_t inode) const {
  TSK_FS_INFO* const fs = &handle_->filesystem();
  const bool has_orphans_folder = !TSK_FS_TYPE_ISHFS(fs->ftype) && !TSK_FS_TYPE_ISAPFS(fs->ftype);  // there the number is a file's
  if (has_orphans_folder && inode == TSK_FS_ORPHANDIR_INUM(fs))
    return fail(Code::kCorrupt, "a name leads to an inode that is not on the disk", where(inode));
  DirectoryPtr opened(tsk_fs_dir_open_meta(fs, inode));
  if (!opened) return handle_->refusal("read the folder", inode);
  return opened;
}

Result<const TSK_FS_ATTR*> TskFilesystem::content_of(TSK_FS_FILE& file, std::uint64_t inode) const {
  const auto stream = ntfs_ ? stream_of(inode) : std::nullopt;
  const TSK_FS_ATTR* const attribute =
      stream ? tsk_fs_file_attr_get_type(&file, TSK_FS_ATTR_TYPE_NTFS_DATA, *stream, 1) : tsk_fs_file_attr_get(&file);
  if (attribute == nullptr) return handle_->refusal(stream ? "find the stream" : "find the content", inode);
  return attribute;
}

Result<void> TskFilesystem::complete(FileInfo& info) const {
  if (fat_) {
    info.accessed = info.modified = info.changed = {};
    info.born.reset();
    if (info.inode < 3) return {};  // the root has no entry
    info.inode_offset = fat_->entry_offset(info.inode);
    if (info.inode_offset + 32 > source().size()) return {};
    ICECORE_ASSIGN(const FatTimes times, read_fat_times(source(), *fat_, info.inode));
    info.modified = info.changed = times.modified.value_or(Timestamp{});
    info.accessed = times.accessed.value_or(Timestamp{});
    info.born = times.created;
  }
  if (const auto record = iso_.find(info.inode); record != iso_.end()) {
    info.inode_offset = record->second.offset;
    ICECORE_ASSIGN(const IsoEntry entry, read_iso_entry(source(), record->second));
    info.modified = entry.modified.value_or(Timestamp{});
    info.accessed = entry.accessed.value_or(Timestamp{});
    info.changed = entry.changed.value_or(Timestamp{});
    info.born = entry.created;
    if (entry.posix) {
      info.mode = entry.posix->mode;
      info.type = file_type_of_mode(info.mode);
      info.uid = entry.posix->uid;
      info.gid = entry.posix->gid;
      info.links = entry.posix->links;
      if (info.type == FileType::kSymlink) info.size = entry.link.size();
    }
  }
  if (ntfs_) {
    const std::uint64_t at = base_inode(info.inode) * mft_record_;
    for (const Extent& extent : mft_)
      if (at >= extent.file_offset && at < extent.file_offset + extent.length) info.inode_offset = extent.source_offset + (at - extent.file_offset);
  }
  return {};
}

Result<FileInfo> TskFilesystem::stat(std::uint64_t inode) const {
  auto info = handle_->run<FileInfo>([&](TSK_FS_INFO&) -> Result<FileInfo> {
    ICECORE_ASSIGN(TSK_FS_FILE* const opened, file(inode));
    FileInfo found = info_of(*opened->meta);
    if (!ntfs_ || !stream_of(inode)) return found;
    ICECORE_ASSIGN(const TSK_FS_ATTR* const stream, content_of(*opened, inode));
    return stream_info(found, {"", *stream_of(inode), static_cast<std::uint64_t>(std::max<TSK_OFF_T>(stream->size, 0))});
  });
  if (!info) return info;
  ICECORE_CHECK(complete(*info));
  return info;
}

Result<std::vector<DirectoryEntry>> TskFilesystem::list(std::uint64_t directory) const {
  return handle_->run<std::vector<DirectoryEntry>>([&](TSK_FS_INFO&) -> Result<std::vector<DirectoryEntry>> {
    ICECORE_ASSIGN(TSK_FS_FILE* const opened, file(directory));
    if (!is_directory(*opened) || (ntfs_ && stream_of(directory))) return fail(Code::kInvalidArgument, "not a directory", where(directory));
    ICECORE_ASSIGN(const DirectoryPtr dir, folder(directory));
    std::vector<DirectoryEntry> entries;
    for (std::size_t i = 0; i < tsk_fs_dir_getsize(dir.get()); ++i) {
      const TSK_FS_NAME* const name = tsk_fs_dir_get_name(dir.get(), i);
      if (name == nullptr || (name->flags & TSK_FS_NAME_FLAG_ALLOC) == 0 || is_artificial(*name)) continue;
      ICECORE_ASSIGN(std::string text, name_of(*name));
      entries.push_back({std::move(text), name->meta_addr, type_of(name->type)});
      if (!ntfs_) continue;
      const FilePtr entry(tsk_fs_dir_get(dir.get(), i));
      if (!entry || entry->meta == nullptr) continue;
      for (const Stream& stream : streams_of(*entry))
        entries.push_back({fmt::format("{}:{}", name->name, stream.name), stream_inode(name->meta_addr, stream.attribute), FileType::kRegular});
    }
    return entries;
  });
}

Result<std::string> TskFilesystem::name_of(const TSK_FS_NAME& name) const {
  const auto record = iso_.find(name.meta_addr);
  if (record == iso_.end()) return std::string(name.name);
  ICECORE_ASSIGN(IsoEntry entry, read_iso_entry(source(), record->second));
  return entry.name.empty() ? std::string(name.name) : std::move(entry.name);
}

Result<std::uint64_t> TskFilesystem::lookup(std::uint64_t directory, std::string_view name) const {
  ICECORE_ASSIGN(const auto entries, list(directory));
  const auto exact = std::ranges::find(entries, name, &DirectoryEntry::name);
  if (exact != entries.end()) return exact->inode;
  if (fat_ || ntfs_) {
    const std::string wanted = to_lower(name);
    const auto similar = std::ranges::find_if(entries, [&](const DirectoryEntry& entry) { return to_lower(entry.name) == wanted; });
    if (similar != entries.end()) return similar->inode;
  }
  return fail(Code::kNotFound, "no such name in the directory", Location{source().name(), std::nullopt, directory, std::string(name)});
}

Result<std::size_t> TskFilesystem::read(std::uint64_t inode, std::uint64_t offset, std::span<std::byte> out) const {
  return handle_->run<std::size_t>([&](TSK_FS_INFO&) -> Result<std::size_t> {
    ICECORE_ASSIGN(TSK_FS_FILE* const opened, file(inode));
    if (is_directory(*opened) && !(ntfs_ && stream_of(inode))) return fail(Code::kInvalidArgument, "this is a directory", where(inode));
    if (opened->meta->size == 0 && !(ntfs_ && stream_of(inode))) return std::size_t{0};
    ICECORE_ASSIGN(const TSK_FS_ATTR* const content, content_of(*opened, inode));
    const auto size = static_cast<std::uint64_t>(std::max<TSK_OFF_T>(content->size, 0));
    if (offset >= size) return std::size_t{0};
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size - offset));
    std::size_t done = 0;
    while (done < wanted) {
      const ssize_t count = tsk_fs_attr_read(content, static_cast<TSK_OFF_T>(offset + done), reinterpret_cast<char*>(out.data()) + done,
                                             wanted - done, TSK_FS_FILE_READ_FLAG_NONE);
      if (count < 0) return handle_->refusal("read the content", inode);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    ICECORE_ASSIGN(const std::uint64_t written, written_length(inode));
    if (written < offset + done) std::ranges::fill(out.first(done).subspan(written > offset ? written - offset : 0), std::byte{0});
    return done;
  });
}

Result<std::string> TskFilesystem::readlink(std::uint64_t inode) const {
  if (const auto record = iso_.find(inode); record != iso_.end()) {
    ICECORE_ASSIGN(IsoEntry entry, read_iso_entry(source(), record->second));
    if (!entry.posix || file_type_of_mode(entry.posix->mode) != FileType::kSymlink)
      return fail(Code::kInvalidArgument, "not a symbolic link", where(inode));
    return std::move(entry.link);
  }
  return handle_->run<std::string>([&](TSK_FS_INFO&) -> Result<std::string> {
    ICECORE_ASSIGN(TSK_FS_FILE* const opened, file(inode));
    if (type_of(opened->meta->type) != FileType::kSymlink) return fail(Code::kInvalidArgument, "not a symbolic link", where(inode));
    if (opened->meta->link == nullptr) return handle_->refusal("read the link", inode);
    return std::string(opened->meta->link);
  });
}

Result<std::vector<ExtendedAttribute>> TskFilesystem::xattrs(std::uint64_t inode) const {
  return handle_->run<std::vector<ExtendedAttribute>>([&](TSK_FS_INFO&) -> Result<std::vector<ExtendedAttribute>> {
    std::vector<ExtendedAttribute> attributes;
    if (info_.type != "hfsplus" && info_.type != "apfs") return attributes;
    ICECORE_ASSIGN(TSK_FS_FILE* const opened, file(inode));
    const int count = std::min(tsk_fs_file_attr_getsize(opened), 1000);
    for (int i = 0; i < count; ++i) {
      const TSK_FS_ATTR* const attribute = tsk_fs_file_attr_get_idx(opened, i);
      if (attribute == nullptr || attribute->type != TSK_FS_ATTR_TYPE_HFS_EXT_ATTR || attribute->name == nullptr || attribute->size < 0) continue;
      std::string value(static_cast<std::size_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(attribute->size), kMaximumXattr)), '\0');
      const ssize_t length = value.empty() ? 0 : tsk_fs_attr_read(attribute, 0, value.data(), value.size(), TSK_FS_FILE_READ_FLAG_NONE);
      if (length < 0) return handle_->refusal("read an extended attribute", inode);
      value.resize(static_cast<std::size_t>(length));
      attributes.push_back({attribute->name, std::move(value)});
    }
    return attributes;
  });
}

std::vector<Extent> TskFilesystem::extents_under_lock(std::uint64_t inode) const {
  const auto opened = file(inode);
  if (!opened) return {};
  const bool folder = is_directory(**opened) && !(ntfs_ && stream_of(inode));
  const TSK_FS_ATTR* const attribute =
      folder && ntfs_ ? tsk_fs_file_attr_get_type(*opened, TSK_FS_ATTR_TYPE_NTFS_IDXALLOC, 0, 0) : content_of(**opened, inode).value_or(nullptr);
  if (attribute == nullptr) return {};
  return extents_of(handle_->filesystem(), *attribute, kMaximumRuns, written_length(inode).value_or(UINT64_MAX));
}

Result<std::uint64_t> TskFilesystem::written_length(std::uint64_t inode) const {
  if (!fat_ || !fat_->exfat) return UINT64_MAX;
  ICECORE_ASSIGN(const auto set, read_exfat_set(source(), *fat_, inode));
  return set ? set->written : UINT64_MAX;
}

Result<std::vector<Extent>> TskFilesystem::extents(std::uint64_t inode) const {
  return handle_->run<std::vector<Extent>>([&](TSK_FS_INFO&) -> Result<std::vector<Extent>> {
    ICECORE_ASSIGN(TSK_FS_FILE* const opened, file(inode));
    if (opened->meta->size == 0) return std::vector<Extent>{};
    return extents_under_lock(inode);
  });
}

}  // namespace icecore::fs::tsk
