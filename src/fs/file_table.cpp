#include "fs/file_table.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <algorithm>
#include <functional>
#include <span>
#include <unordered_map>

namespace icecore::fs {
namespace {

constexpr std::uint64_t kInodesPerPage = 64;
constexpr std::size_t kMaximumDepth = 4096;  // deeper than any path that Linux can name
// PATH_MAX. `mkdir x; cd x` goes on for ever on a live system too, and the paths of folders in each other grow with the square of their number.
constexpr std::size_t kMostPath = 4096;

}  // namespace

FileType file_type_of_mode(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return FileType::kRegular;
    case S_IFDIR: return FileType::kDirectory;
    case S_IFLNK: return FileType::kSymlink;
    case S_IFCHR: return FileType::kCharacterDevice;
    case S_IFBLK: return FileType::kBlockDevice;
    case S_IFIFO: return FileType::kFifo;
    case S_IFSOCK: return FileType::kSocket;
    default: return FileType::kUnknown;
  }
}

std::string mode_string(FileType type, std::uint32_t mode) {
  static constexpr std::string_view kTypes = "?-dlcbps";
  std::string text(1, kTypes[static_cast<std::size_t>(type)]);
  static constexpr std::string_view kBits = "rwxrwxrwx";
  for (std::size_t i = 0; i < kBits.size(); ++i) text += ((mode >> (8 - i)) & 1U) != 0 ? kBits[i] : '-';
  const auto special = [&](std::uint32_t bit, std::size_t at, char set) {
    if ((mode & bit) != 0) text[at] = text[at] == 'x' ? set : static_cast<char>(set - 'a' + 'A');
  };
  special(S_ISUID, 3, 's');
  special(S_ISGID, 6, 's');
  special(S_ISVTX, 9, 't');
  return text;
}

std::optional<std::size_t> FileTable::index_of(std::uint64_t inode) const {
  std::size_t first = 0, last = files.size();
  if (!starts_.empty()) {
    std::uint64_t page = inode / kInodesPerPage;
    if (!pages_.empty()) {
      const auto found = std::ranges::lower_bound(pages_, page);
      if (found == pages_.end() || *found != page) return std::nullopt;
      page = static_cast<std::uint64_t>(found - pages_.begin());
    }
    if (page + 1 >= starts_.size()) return std::nullopt;
    first = starts_[static_cast<std::size_t>(page)];
    last = starts_[static_cast<std::size_t>(page) + 1];
    if (last - first == kInodesPerPage) return first + inode % kInodesPerPage;
  }
  const std::span some(files.begin() + static_cast<std::ptrdiff_t>(first), files.begin() + static_cast<std::ptrdiff_t>(last));
  const auto found = std::ranges::lower_bound(some, inode, {}, &FileInfo::inode);
  if (found == some.end() || found->inode != inode) return std::nullopt;
  return first + static_cast<std::size_t>(found - some.begin());
}

const FileInfo* FileTable::find(std::uint64_t inode) const {
  const auto index = index_of(inode);
  return index ? &files[*index] : nullptr;
}

void FileTable::build_index() {
  pages_.clear();
  starts_.clear();
  if (files.empty() || files.size() >= UINT32_MAX) return;
  // Only where no number comes twice is a full page known to hold each of its inodes.
  if (std::ranges::adjacent_find(files, std::ranges::greater_equal{}, &FileInfo::inode) != files.end()) return;
  const std::uint64_t last_page = files.back().inode / kInodesPerPage;
  const bool dense = last_page < files.size() * std::uint64_t{4} + 1024;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::uint64_t page = files[i].inode / kInodesPerPage;
    const auto start = static_cast<std::uint32_t>(i);
    if (dense) {
      while (starts_.size() <= page) starts_.push_back(start);
    } else if (pages_.empty() || pages_.back() != page) {
      pages_.push_back(page);
      starts_.push_back(start);
    }
  }
  starts_.push_back(static_cast<std::uint32_t>(files.size()));
}

PathIndex::PathIndex(const FileTable& table) : table_(table) {
  std::unordered_map<std::uint64_t, const Name*> name_of;
  std::vector<bool> directories(table.files.size());
  for (std::size_t i = 0; i < directories.size(); ++i) directories[i] = table.files[i].type == FileType::kDirectory;
  const auto is_directory = [&](std::uint64_t inode) {
    const auto index = table.index_of(inode);
    return index && directories[*index];
  };
  for (const Name& name : table.names) {
    if (!is_directory(name.inode)) continue;
    // A live name beats one found in slack.
    const auto [at, added] = name_of.try_emplace(name.inode, &name);
    if (!added && at->second->deleted && !name.deleted) at->second = &name;
  }
  std::unordered_map<std::uint64_t, std::string> done{{table.root_inode, ""}};
  std::vector<std::uint64_t> chain;
  for (const FileInfo& file : table.files) {
    if (file.type != FileType::kDirectory) continue;
    chain.clear();
    std::uint64_t here = file.inode;
    while (!done.contains(here) && name_of.contains(here) && chain.size() < kMaximumDepth && std::ranges::find(chain, here) == chain.end()) {
      chain.push_back(here);
      here = name_of.at(here)->parent;
    }
    if (!done.contains(here)) done.emplace(here, fmt::format("/$Orphan/{}", here));
    for (auto inode = chain.rbegin(); inode != chain.rend(); ++inode) {
      if (done.contains(*inode)) continue;
      const Name& name = *name_of.at(*inode);
      const std::string& parent = done.at(name.parent);
      const bool fits = parent.size() + 1 + name.text_length <= kMostPath;
      done.emplace(*inode, fits ? parent + '/' + std::string(table.text_of(name)) : fmt::format("/$Orphan/{}", *inode));
    }
  }
  inodes_.reserve(done.size());
  for (const auto& [inode, path] : done) inodes_.push_back(inode);
  std::ranges::sort(inodes_);
  paths_.reserve(inodes_.size());
  for (const std::uint64_t inode : inodes_) paths_.push_back(std::move(done.at(inode)));
}

const std::string& PathIndex::directory(std::uint64_t inode) const {
  const auto found = std::ranges::lower_bound(inodes_, inode);
  if (found == inodes_.end() || *found != inode) return unknown_;
  return paths_[static_cast<std::size_t>(found - inodes_.begin())];
}

std::string PathIndex::path_of(const Name& name) const { return directory(name.parent) + '/' + std::string(table_.text_of(name)); }

}  // namespace icecore::fs
