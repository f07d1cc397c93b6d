#include "fs/deleted_file.h"

#include <fmt/format.h>
#include <algorithm>
#include <map>

#include "fs/filesystem.h"

namespace icecore::fs {
namespace {

constexpr std::size_t kMostDepth = 64;  // deleted folders inside deleted folders

/// The deleted folders by inode, each life of it.
class DeletedFolders {
 public:
  explicit DeletedFolders(const DeletedFiles& deleted) : deleted_(deleted) {
    for (std::size_t i = 0; i < deleted.files.size(); ++i)
      if (deleted.files[i].info.type == FileType::kDirectory) folders_[deleted.files[i].info.inode].push_back(i);
  }

  /// The life that `generation` names; the last one where it names none.
  const DeletedFile* find(std::uint64_t inode, std::optional<std::uint32_t> generation) const {
    const auto lives = folders_.find(inode);
    if (lives == folders_.end()) return nullptr;
    if (!generation) return &deleted_.files[lives->second.back()];
    for (const std::size_t i : lives->second)
      if (deleted_.files[i].info.generation == *generation) return &deleted_.files[i];
    return nullptr;
  }

 private:
  const DeletedFiles& deleted_;
  std::map<std::uint64_t, std::vector<std::size_t>> folders_;
};

class Resolver {
 public:
  Resolver(const DeletedFiles& deleted, const FileTable& table, const PathIndex& paths) : folders_(deleted), table_(table), paths_(paths) {}

  struct Folder {
    std::string path;
    Sureness sureness;
  };

  Folder folder(std::uint64_t inode, std::optional<std::uint32_t> generation, std::size_t depth = 0) const {
    const FileInfo* live = table_.find(inode);
    const bool lives = inode == table_.root_inode || (live != nullptr && live->allocated && live->type == FileType::kDirectory);
    if (lives && (!generation || live == nullptr || live->generation == *generation)) {
      const std::string& path = paths_.directory(inode);
      return {path, path.starts_with("/$Orphan") ? Sureness::kGuess : Sureness::kSure};
    }
    const DeletedFile* gone = depth < kMostDepth ? folders_.find(inode, generation) : nullptr;
    if (gone == nullptr || gone->names.empty()) return {fmt::format("/$Orphan/{}", inode), Sureness::kGuess};
    const DeletedName& name = gone->names.front();
    const Folder above = folder(name.parent, name.parent_generation, depth + 1);
    return {above.path + '/' + name.text, std::min(above.sureness, name.sureness)};
  }

 private:
  DeletedFolders folders_;
  const FileTable& table_;
  const PathIndex& paths_;
};

void resolve(const Resolver& resolver, DeletedName& name) {
  const Resolver::Folder folder = resolver.folder(name.parent, name.parent_generation);
  name.path = folder.path + '/' + name.text;
}

// Deleted inodes of the table without what the journal knows.
DeletedFile of_table(const FileInfo& info) {
  DeletedFile file;
  file.info = info;
  file.origin = {Origin::Kind::kInodeTable, info.inode_offset, {}, {}, {}};
  file.sureness = Sureness::kLikely;
  return file;
}

}  // namespace

std::string_view sureness_name(Sureness sureness) {
  static constexpr std::string_view kNames[] = {"guess", "likely", "sure"};
  return kNames[static_cast<std::size_t>(sureness)];
}

std::string_view origin_name(Origin::Kind kind) {
  static constexpr std::string_view kNames[] = {"inode-table", "journal", "directory"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view state_name(ContentState state) {
  static constexpr std::string_view kNames[] = {"unknown", "none", "intact", "partly-overwritten", "overwritten"};
  return kNames[static_cast<std::size_t>(state)];
}

ContentState judge_content(const DeletedFile& file, bool complete) {
  if (file.info.type != FileType::kRegular) return ContentState::kNone;
  if (!file.inside.empty()) return ContentState::kIntact;
  if (!complete || (file.extents.empty() && file.info.size != 0)) return ContentState::kUnknown;
  if (file.info.size == 0) return ContentState::kNone;
  const auto free = static_cast<std::size_t>(std::ranges::count(file.extents, true, &DeletedExtent::free));
  if (free == file.extents.size()) return ContentState::kIntact;
  return free == 0 ? ContentState::kOverwritten : ContentState::kPartlyOverwritten;
}

void resolve_paths(DeletedFiles& deleted, const FileTable& table, const PathIndex& paths) {
  // All before the first is resolved: a folder stands in its files' paths with its own first name.
  for (DeletedFile& file : deleted.files)
    std::ranges::stable_sort(file.names, std::ranges::greater{},
                             [](const DeletedName& name) { return std::pair(name.sureness, name.origin.transaction.value_or(0)); });
  const Resolver resolver(deleted, table, paths);
  for (DeletedFile& file : deleted.files)
    for (DeletedName& name : file.names) resolve(resolver, name);
  for (FormerName& former : deleted.former_names) resolve(resolver, former.name);
}

Result<DeletedFiles> Filesystem::deleted_files(const FileTable& table, const PathIndex& paths, Anomalies& anomalies, Progress& progress) const {
  (void)anomalies;
  (void)progress;
  DeletedFiles deleted;
  for (const FileInfo& info : table.files) {
    if (info.allocated) continue;
    DeletedFile file = of_table(info);
    if (const auto found = extents(info.inode))
      for (const Extent& extent : *found) file.extents.push_back({extent, true});
    file.content = judge_content(file, info.size == 0);
    deleted.files.push_back(std::move(file));
  }
  for (const Name& name : table.names) {
    const auto file = std::ranges::lower_bound(deleted.files, name.inode, {}, [](const DeletedFile& one) { return one.info.inode; });
    if (file == deleted.files.end() || file->info.inode != name.inode) continue;
    file->names.push_back({name.parent, {}, std::string(table.text_of(name)), "", Sureness::kLikely, {Origin::Kind::kDirectory, 0, {}, {}, {}}});
  }
  resolve_paths(deleted, table, paths);
  return deleted;
}

Result<std::size_t> Filesystem::read_deleted(const DeletedFile& file, std::uint64_t offset, std::span<std::byte> out) const {
  if (offset >= file.info.size) return std::size_t{0};
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), file.info.size - offset));
  out = out.first(length);
  std::ranges::fill(out, std::byte{0});
  if (!file.inside.empty()) {
    const std::string_view text = std::string_view(file.inside).substr(std::min<std::uint64_t>(offset, file.inside.size()), length);
    std::ranges::copy(as_bytes(text), out.begin());
    return length;
  }
  std::vector<image::ByteRange> ranges;
  std::vector<std::size_t> places;
  for (const DeletedExtent& extent : file.extents) {
    const std::uint64_t begin = std::max(extent.file_offset, offset), end = std::min(extent.file_offset + extent.length, offset + length);
    if (extent.unwritten || !extent.free || begin >= end) continue;
    ranges.push_back({extent.source_offset + (begin - extent.file_offset), end - begin});
    places.push_back(static_cast<std::size_t>(begin - offset));
  }
  ICECORE_CHECK(source().prefetch(ranges));
  for (std::size_t i = 0; i < ranges.size(); ++i)
    ICECORE_CHECK(source().read(ranges[i].offset, out.subspan(places[i], static_cast<std::size_t>(ranges[i].length))));
  return length;
}

}  // namespace icecore::fs
