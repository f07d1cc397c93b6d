// All names and inodes: the folders level by level, each level's content announced as one round; on NTFS also the records that no folder leads to.
#include <fmt/format.h>
#include <algorithm>
#include <unordered_map>

#include "core/interrupt.h"
#include "fs/tsk/tsk_filesystem.h"

namespace icecore::fs::tsk {
namespace {

// A name that an NTFS record gives of itself.
struct Unplaced {
  std::uint64_t parent;
  std::uint32_t parent_sequence;
  std::uint64_t inode;
  std::string text;
  bool deleted;
};

}  // namespace

class Sweeper {
 public:
  Sweeper(const TskFilesystem& filesystem, const SweepOptions& options, Anomalies& anomalies)
      : fs_(filesystem), options_(options), anomalies_(anomalies), most_names_(filesystem.source().size() / 16 + 4096) {}

  Result<FileTable> run() {
    table_.root_inode = fs_.info_.root_inode;
    if (!fs_.mft_.empty()) ICECORE_CHECK(announce(fs_.mft_));
    ICECORE_ASSIGN(const FileInfo root, fs_.stat(table_.root_inode));
    add_file(root);
    std::vector<std::uint64_t> level{table_.root_inode};
    while (!level.empty() && !full_) {
      ICECORE_CHECK(announce_folders(level));
      std::vector<std::uint64_t> next;
      for (const std::uint64_t folder : level) ICECORE_CHECK(read_folder(folder, next));
      level = std::move(next);
    }
    if (fs_.ntfs_ && options_.deleted && !full_) ICECORE_CHECK(read_free_records());
    std::ranges::sort(table_.files, {}, &FileInfo::inode);
    ICECORE_CHECK(complete());
    table_.build_index();
    return std::move(table_);
  }

 private:
  Result<void> announce(const std::vector<Extent>& extents) const {
    std::vector<image::ByteRange> ranges;
    for (const Extent& extent : extents) ranges.push_back({extent.source_offset, extent.length});
    return fs_.source().prefetch(ranges);
  }

  Result<void> announce_folders(const std::vector<std::uint64_t>& level) const {
    ICECORE_ASSIGN(const auto extents, fs_.handle_->run<std::vector<Extent>>([&](TSK_FS_INFO&) -> Result<std::vector<Extent>> {
      std::vector<Extent> all;
      for (const std::uint64_t folder : level) std::ranges::copy(fs_.extents_under_lock(folder), std::back_inserter(all));
      return all;
    }));
    return announce(extents);
  }

  bool add_file(const FileInfo& info) {
    if (!seen_.emplace(info.inode, table_.files.size()).second) return false;
    table_.files.push_back(info);
    return true;
  }

  void add_name(std::uint64_t parent, std::uint64_t inode, std::string_view text, bool deleted) {
    if (table_.names.size() >= most_names_) {
      if (!full_)
        anomalies_.add("tsk.names",
                       Error{Code::kCorrupt, "more names than the volume has room for: its folders share their content; the rest is left out",
                             fs_.where(parent), nullptr});
      full_ = true;
      return;
    }
    text = text.substr(0, UINT16_MAX);
    table_.names.push_back({parent, inode, table_.text.size(), static_cast<std::uint16_t>(text.size()), deleted});
    table_.text += text;
  }

  void add_streams(TSK_FS_FILE& file, std::uint64_t parent, std::string_view text, bool deleted, const FileInfo& of) {
    for (const Stream& stream : streams_of(file)) {
      add_file(stream_info(of, stream));
      add_name(parent, stream_inode(of.inode, stream.attribute), fmt::format("{}:{}", text, stream.name), deleted);
    }
  }

  // NTFS counts a record's sequence number up when it frees it, so libtsk takes the record of a deleted name for another file's.
  FilePtr freed_record(const TSK_FS_NAME& name) const {
    FilePtr file(tsk_fs_file_open_meta(&fs_.handle_->filesystem(), nullptr, name.meta_addr));
    const bool freed = file && file->meta != nullptr && (file->meta->flags & TSK_FS_META_FLAG_UNALLOC) != 0;
    return freed && file->meta->seq == name.meta_seq + 1 ? std::move(file) : FilePtr();
  }

  void read_entry(const TSK_FS_DIR& folder, std::size_t index, std::uint64_t parent, std::vector<std::uint64_t>& next) {
    const TSK_FS_NAME* const name = tsk_fs_dir_get_name(&folder, index);
    if (name == nullptr || is_artificial(*name)) return;
    const bool deleted = (name->flags & TSK_FS_NAME_FLAG_ALLOC) == 0;
    if (deleted && !options_.deleted) return;
    FilePtr file(tsk_fs_dir_get(&folder, index));
    if (deleted && fs_.ntfs_ && (!file || file->meta == nullptr)) file = freed_record(*name);
    if (!file || file->meta == nullptr) {
      // A deleted name whose inode is another's by now: the name alone is known.
      if (!deleted) anomalies_.add("tsk.inode", fs_.handle_->refusal("read the inode of " + std::string(name->name), name->meta_addr).value());
      return add_name(parent, deleted ? 0 : name->meta_addr, name->name, deleted);
    }
    const FileInfo info = info_of(*file->meta);
    const auto text = fs_.name_of(*name);
    add_name(parent, info.inode, text ? *text : name->name, deleted);
    const bool is_new = add_file(info);
    if (fs_.ntfs_) add_streams(*file, parent, name->name, deleted, info);
    if (is_new && info.type == FileType::kDirectory && !(deleted && info.allocated && !fs_.fat_)) next.push_back(info.inode);
  }

  Result<void> read_folder(std::uint64_t folder, std::vector<std::uint64_t>& next) {
    if (interrupted()) return interruption();
    auto done = fs_.handle_->run<void>([&](TSK_FS_INFO&) -> Result<void> {
      ICECORE_ASSIGN(const DirectoryPtr dir, fs_.folder(folder));
      for (std::size_t i = 0; i < tsk_fs_dir_getsize(dir.get()) && !full_; ++i) read_entry(*dir, i, folder, next);
      return {};
    });
    if (done || done.error().code != Code::kCorrupt) return done;
    const auto at = seen_.find(folder);
    if (at == seen_.end() || table_.files[at->second].allocated)
      anomalies_.add("tsk.folder", std::move(done).error());  // a deleted folder's blocks are anyone's
    return {};
  }

  // Records that were not met through a folder: names from the record itself, under a parent only where it still is that folder.
  Result<void> read_free_records() {
    ICECORE_CHECK(fs_.handle_->run<void>([&](TSK_FS_INFO& fs) -> Result<void> {
      const auto visit = [](TSK_FS_FILE* file, void* self) -> TSK_WALK_RET_ENUM {
        auto& sweeper = *static_cast<Sweeper*>(self);
        if (file != nullptr && file->meta != nullptr) sweeper.read_record(*file);
        return sweeper.unplaced_.size() > sweeper.most_names_ ? TSK_WALK_STOP : TSK_WALK_CONT;
      };
      const auto flags = static_cast<TSK_FS_META_FLAG_ENUM>(TSK_FS_META_FLAG_ALLOC | TSK_FS_META_FLAG_UNALLOC | TSK_FS_META_FLAG_USED);
      if (tsk_fs_meta_walk(&fs, fs.first_inum, fs.last_inum, flags, visit, this) != 0)
        anomalies_.add("tsk.records", fs_.handle_->refusal("read all file records").value());
      return {};
    }));
    for (const Unplaced& name : unplaced_) {
      constexpr std::uint64_t kGone = UINT64_MAX;
      add_name(is_folder(name.parent, name.parent_sequence) ? name.parent : kGone, name.inode, name.text, name.deleted);
    }
    return {};
  }

  bool is_folder(std::uint64_t inode, std::uint32_t sequence) const {
    const auto found = seen_.find(inode);
    if (found == seen_.end()) return false;
    const FileInfo& folder = table_.files[found->second];
    return folder.type == FileType::kDirectory && folder.generation == sequence + (folder.allocated ? 0U : 1U);
  }

  void read_record(TSK_FS_FILE& file) {
    if (file.meta->type == TSK_FS_META_TYPE_VIRT || file.meta->type == TSK_FS_META_TYPE_VIRT_DIR) return;
    const FileInfo info = info_of(*file.meta);
    if (!add_file(info)) return;
    const std::vector<Stream> streams = streams_of(file);
    std::size_t count = 0;
    for (const TSK_FS_META_NAME_LIST* name = file.meta->name2; name != nullptr && count < 64; name = name->next, ++count) {
      const std::string_view text(name->name);
      if (text.empty() || text == "." || text == "..") continue;
      unplaced_.push_back({name->par_inode, name->par_seq, info.inode, std::string(text), !info.allocated});
      for (const Stream& stream : streams) {
        add_file(stream_info(info, stream));
        unplaced_.push_back(
            {name->par_inode, name->par_seq, stream_inode(info.inode, stream.attribute), fmt::format("{}:{}", text, stream.name), !info.allocated});
      }
    }
  }

  Result<void> complete() {
    for (FileInfo& file : table_.files) {
      if (interrupted()) return interruption();
      ICECORE_CHECK(fs_.complete(file));
    }
    return {};
  }

  const TskFilesystem& fs_;
  const SweepOptions& options_;
  Anomalies& anomalies_;
  const std::size_t most_names_;
  FileTable table_;
  std::unordered_map<std::uint64_t, std::size_t> seen_;  // inode → index in table_.files
  std::vector<Unplaced> unplaced_;
  bool full_ = false;
};

Result<FileTable> TskFilesystem::sweep(const SweepOptions& options, Anomalies& anomalies, Progress& progress) const {
  progress.begin(fmt::format("reading {}", info_.type), 0, "files");
  auto table = Sweeper(*this, options, anomalies).run();
  progress.end();
  return table;
}

}  // namespace icecore::fs::tsk
