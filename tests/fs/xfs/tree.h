// A filesystem's tree as text, once as the kernel's mount shows it and once as our reader does, so that a difference shows what differs.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/text.h"
#include "fs/filesystem.h"
#include "support/support.h"

namespace icecore::fs::xfs::test {

struct Node {
  std::string status;   ///< inode, mode, owner, links, size, four times, device
  std::string content;  ///< SHA-256, target, attributes
  bool operator==(const Node&) const = default;
};
using Tree = std::map<std::string, Node>;

/// The status of what the kernel would not show.
inline const std::string kRefused = "refused";

inline std::string status_text(const FileInfo& info) {
  const auto time = [](const Timestamp& at) { return fmt::format("{}.{:09}", at.seconds, at.nanoseconds); };
  return fmt::format("ino={} mode={:o} uid={} gid={} links={} size={} a={} m={} c={} b={} dev={:x}", info.inode, info.mode, info.uid, info.gid,
                     info.links, info.size, time(info.accessed), time(info.modified), time(info.changed), info.born ? time(*info.born) : "none",
                     info.device);
}

inline std::string attributes_text(std::vector<ExtendedAttribute> attributes) {
  std::ranges::sort(attributes, {}, &ExtendedAttribute::name);
  std::string text;
  for (const auto& attribute : attributes) text += fmt::format(" {}={}", attribute.name, to_hex(sha256(as_bytes(attribute.value))).substr(0, 12));
  return text;
}

/// nullopt where the kernel refuses: without recovery, names may lead to inodes that are not there yet.
inline std::optional<FileInfo> kernel_status(const std::string& path) {
  struct statx raw = {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &raw) != 0) return std::nullopt;
  const auto time = [](const struct statx_timestamp& at) { return Timestamp{at.tv_sec, at.tv_nsec}; };
  FileInfo info;
  info.inode = raw.stx_ino;
  info.mode = raw.stx_mode;
  info.type = file_type_of_mode(info.mode);
  info.uid = raw.stx_uid;
  info.gid = raw.stx_gid;
  info.links = raw.stx_nlink;
  info.size = raw.stx_size;
  info.accessed = time(raw.stx_atime);
  info.modified = time(raw.stx_mtime);
  info.changed = time(raw.stx_ctime);
  if ((raw.stx_mask & STATX_BTIME) != 0) info.born = time(raw.stx_btime);
  info.device = (raw.stx_rdev_major << 20) | raw.stx_rdev_minor;
  return info;
}

/// Files over 64 MiB (sparse ones) give their first and last MiB only: both sides the same.
template <typename ReadAt>
std::string content_hash(std::uint64_t size, const ReadAt& read_at) {
  Sha256 hash;
  std::string buffer(1 << 20, '\0');
  for (std::uint64_t at = 0; at < size;) {
    const std::size_t got = read_at(at, buffer);
    if (got == 0) break;
    hash.update(as_bytes(std::string_view(buffer).substr(0, got)));
    at += got;
    if (size > (64U << 20) && at < size - buffer.size()) at = size - buffer.size();
  }
  return to_hex(hash.finish()).substr(0, 16);
}

/// nullopt where the kernel lists one and does not give its value.
inline std::optional<std::vector<ExtendedAttribute>> kernel_attributes(const std::string& path) {
  std::vector<ExtendedAttribute> attributes;
  std::string names(1 << 16, '\0'), value(1 << 16, '\0');
  const ssize_t length = ::llistxattr(path.c_str(), names.data(), names.size());
  for (std::size_t at = 0; length > 0 && at < static_cast<std::size_t>(length); at += attributes.back().name.size() + 1) {
    attributes.push_back({names.c_str() + at, ""});
    const ssize_t got = ::lgetxattr(path.c_str(), attributes.back().name.c_str(), value.data(), value.size());
    if (got < 0) return std::nullopt;
    attributes.back().value = value.substr(0, static_cast<std::size_t>(got));
  }
  return attributes;
}

inline std::optional<std::string> kernel_content(const std::string& path, const FileInfo& info) {
  auto attributes = kernel_attributes(path);
  if (!attributes) return std::nullopt;
  std::string text = attributes_text(std::move(*attributes));
  if (info.type == FileType::kSymlink) {
    std::string target(4096, '\0');
    target.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::readlink(path.c_str(), target.data(), target.size()))));
    text += " -> " + target;
  } else if (info.type == FileType::kRegular) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOATIME);
    bool failed = fd < 0;
    text += " sha256 " + content_hash(info.size, [&](std::uint64_t at, std::string& out) {
              const ssize_t got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(at));
              failed = failed || got < 0;
              return static_cast<std::size_t>(std::max<ssize_t>(0, got));
            });
    ::close(fd);
    if (failed) return std::nullopt;
  }
  return text;
}

/// The mount's tree under `path`, keyed by path from the root ("" is the root itself).
inline void read_kernel_tree(const std::string& root, const std::string& path, bool contents, Tree& tree) {
  const auto info = kernel_status(root + path);
  if (!info) {
    tree[path] = {kRefused, ""};
    return;
  }
  const auto content = contents ? kernel_content(root + path, *info) : std::string();
  tree[path] = content ? Node{status_text(*info), *content} : Node{kRefused, ""};
  if (info->type != FileType::kDirectory) return;
  DIR* folder = ::opendir((root + path).c_str());
  if (folder == nullptr) {
    tree[path] = {kRefused, ""};
    return;
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(folder)) names.emplace_back(entry->d_name);
  ::closedir(folder);
  for (const std::string& name : names)
    if (name != "." && name != "..") read_kernel_tree(root, path + '/' + name, contents, tree);
}

inline Tree kernel_tree(const std::filesystem::path& root, bool contents = true) {
  Tree tree;
  read_kernel_tree(root.string(), "", contents, tree);
  return tree;
}

inline std::string our_content(const Filesystem& filesystem, const FileInfo& info) {
  const auto attributes = filesystem.xattrs(info.inode);
  std::string text = attributes ? attributes_text(*attributes) : " xattrs: " + to_string(attributes.error());
  if (info.type == FileType::kSymlink) {
    const auto target = filesystem.readlink(info.inode);
    text += " -> " + (target ? *target : to_string(target.error()));
  } else if (info.type == FileType::kRegular) {
    text += " sha256 " + content_hash(info.size, [&](std::uint64_t at, std::string& out) {
              const auto got = filesystem.read(info.inode, at, std::as_writable_bytes(std::span(out)));
              if (!got) text += " read: " + to_string(got.error());
              return got ? *got : 0;
            });
  }
  return text;
}

inline void read_our_tree(const Filesystem& filesystem, std::uint64_t inode, const std::string& path, Tree& tree) {
  const auto info = filesystem.stat(inode);
  if (!info) {
    tree[path] = {to_string(info.error()), ""};
    return;
  }
  tree[path] = {status_text(*info), our_content(filesystem, *info)};
  if (info->type != FileType::kDirectory) return;
  const auto entries = filesystem.list(inode);
  if (!entries) {
    tree[path].content += " list: " + to_string(entries.error());
    return;
  }
  for (const DirectoryEntry& entry : *entries) read_our_tree(filesystem, entry.inode, path + '/' + entry.name, tree);
}

/// By stat, list, read, readlink, xattrs.
inline Tree our_tree(const Filesystem& filesystem) {
  Tree tree;
  read_our_tree(filesystem, filesystem.info().root_inode, "", tree);
  return tree;
}

/// By a sweep: live names only, no contents.
inline Tree swept_tree(const FileTable& table) {
  Tree tree;
  const PathIndex paths(table);
  if (const FileInfo* root = table.find(table.root_inode)) tree[""] = {status_text(*root), ""};
  for (const Name& name : table.names) {
    if (name.deleted) continue;
    const FileInfo* info = table.find(name.inode);
    const bool added =
        tree.try_emplace(paths.path_of(name), Node{info != nullptr && info->allocated ? status_text(*info) : "no live inode", ""}).second;
    EXPECT_TRUE(added) << "twice: " << paths.path_of(name);
  }
  return tree;
}

inline Tree without_contents(Tree tree) {
  for (auto& [path, node] : tree) node.content.clear();
  return tree;
}

/// Takes what the kernel refuses, and what lies below it, out of both trees; gives how many that were.
inline std::size_t drop_refused(Tree& kernel, Tree& ours) {
  std::vector<std::string> refused;
  for (const auto& [path, node] : kernel)
    if (node.status == kRefused) refused.push_back(path);
  for (const std::string& path : refused)
    for (Tree* tree : {&kernel, &ours})
      std::erase_if(*tree, [&](const auto& item) { return item.first == path || item.first.starts_with(path + '/'); });
  return refused.size();
}

/// Expects equal trees; names the first few differences.
inline void expect_same_tree(const Tree& expected, const Tree& actual, const std::string& what) {
  int shown = 0;
  const auto differ = [&](const std::string& path, const std::string& wanted, const std::string& got) {
    if (++shown <= 5) ADD_FAILURE() << what << ": " << printable(path) << "\n  kernel: " << wanted << "\n  ours:   " << got;
  };
  for (const auto& [path, node] : expected) {
    const auto found = actual.find(path);
    if (found == actual.end())
      differ(path, node.status, "missing");
    else if (!(found->second == node))
      differ(path, node.status + node.content, found->second.status + found->second.content);
  }
  for (const auto& [path, node] : actual)
    if (!expected.contains(path)) differ(path, "missing", node.status);
  EXPECT_EQ(shown, 0) << what << ": " << expected.size() << " files expected, " << actual.size() << " read";
}

}  // namespace icecore::fs::xfs::test
