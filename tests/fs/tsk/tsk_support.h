// Trees as a kernel (or FUSE driver) shows them and as we do.
#pragma once

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <set>
#include <string>

#include "core/hash.h"
#include "core/text.h"
#include "fs/filesystem.h"
#include "image/file_source.h"
#include "image/slice_source.h"
#include "support/support.h"

namespace icecore::fs::tsk::test {

using icecore::test::data_file;
using icecore::test::run;
using icecore::test::run_ok;

struct Node {
  std::string kind;
  std::uint64_t size = 0;
  std::int64_t modified = 0, accessed = 0, changed = 0;  // nanoseconds
  std::string sha256;
};
using Tree = std::map<std::string, Node>;

inline std::int64_t nanoseconds(const Timestamp& time) { return time.seconds * 1'000'000'000 + time.nanoseconds; }

inline Tree listed_tree(const std::filesystem::path& file) {
  Tree tree;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto fields = split(line, '\t');
    if (fields.size() != 7) {
      ADD_FAILURE() << line;
      continue;
    }
    const auto number = [&](std::size_t i) { return std::stoll(std::string(fields[i])); };
    tree[std::string(as_text(from_hex(fields[0]).value()))] = {
        std::string(fields[1]), static_cast<std::uint64_t>(number(2)), number(3), number(4), number(5), std::string(fields[6])};
  }
  return tree;
}

inline std::string sha256_of(const Filesystem& filesystem, std::uint64_t inode, std::uint64_t size) {
  Sha256 hash;
  std::vector<std::byte> buffer(100'000);  // no multiple of anything
  for (std::uint64_t at = 0; at < size;) {
    const auto count = filesystem.read(inode, at, buffer);
    if (!count) return to_string(count.error());
    if (*count == 0) break;
    hash.update(ByteView(buffer).first(*count));
    at += *count;
  }
  return to_hex(hash.finish());
}

inline void read_our_tree(const Filesystem& filesystem, std::uint64_t folder, const std::string& path, Tree& tree) {
  const auto entries = filesystem.list(folder);
  ICECORE_ASSERT_OK(entries);
  for (const DirectoryEntry& entry : *entries) {
    const std::string name = path + '/' + entry.name;
    const auto info = filesystem.stat(entry.inode);
    ICECORE_ASSERT_OK(info);
    const bool folder_too = info->type == FileType::kDirectory;
    const std::string kind = folder_too ? "d" : info->type == FileType::kSymlink ? "l" : "f";
    EXPECT_FALSE(tree.contains(name)) << name << " is there twice";
    tree[name] = {kind,
                  kind == "f" ? info->size : 0,
                  nanoseconds(info->modified),
                  nanoseconds(info->accessed),
                  nanoseconds(info->changed),
                  kind == "f" ? sha256_of(filesystem, entry.inode, info->size) : "-"};
    if (folder_too) read_our_tree(filesystem, entry.inode, name, tree);
  }
}

inline Tree our_tree(const Filesystem& filesystem) {
  Tree tree;
  read_our_tree(filesystem, filesystem.info().root_inode, "", tree);
  return tree;
}

struct Compare {
  bool changed = true;
  bool accessed = true;
};

inline void expect_same_tree(const Tree& expected, const Tree& ours, const Compare& what = {}) {
  for (const auto& [path, node] : expected) {
    const auto found = ours.find(path);
    if (found == ours.end()) {
      ADD_FAILURE() << path << " is missing";
      continue;
    }
    EXPECT_EQ(found->second.kind, node.kind) << path;
    EXPECT_EQ(found->second.size, node.size) << path;
    EXPECT_EQ(found->second.modified, node.modified) << path;
    EXPECT_TRUE(!what.accessed || found->second.accessed == node.accessed)
        << path << ": accessed " << found->second.accessed << " for " << node.accessed;
    EXPECT_TRUE(!what.changed || found->second.changed == node.changed) << path << ": changed " << found->second.changed << " for " << node.changed;
    EXPECT_EQ(found->second.sha256, node.sha256) << path;
  }
  for (const auto& [path, node] : ours) EXPECT_TRUE(expected.contains(path)) << path << " is not in the kernel's tree";
}

inline image::SourcePtr source_of(const std::filesystem::path& path) { return image::FileSource::open(path).value(); }

/// Paths of a sweep: live, or deleted.
inline std::set<std::string> swept(const FileTable& table, bool deleted) {
  const PathIndex paths(table);
  std::set<std::string> found;
  for (const Name& name : table.names)
    if (name.deleted == deleted) found.insert(paths.path_of(name));
  return found;
}

/// Deleted names by `fls -rdp`, without those that only its hunt through the whole volume finds.
inline std::set<std::string> deleted_by_fls(const std::filesystem::path& image) {
  std::set<std::string> found;
  const std::string output = run_ok(fmt::format("fls -rdp '{}'", image.string()));
  for (const std::string_view line : split_lines(output)) {
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos || line.find("$OrphanFiles") != std::string_view::npos) continue;
    found.insert("/" + std::string(line.substr(tab + 1)));
  }
  return found;
}

/// The deleted file of this path, from a sweep of its own; nullopt where there is none.
inline std::optional<DeletedFile> deleted_file(const Filesystem& filesystem, std::string_view path) {
  Anomalies anomalies;
  const auto table = filesystem.sweep({}, anomalies, no_progress());
  if (!table) return std::nullopt;
  const auto deleted = filesystem.deleted_files(*table, PathIndex(*table), anomalies, no_progress());
  if (!deleted) return std::nullopt;
  const auto found = std::ranges::find(deleted->files, path, &DeletedFile::path);
  return found == deleted->files.end() ? std::nullopt : std::optional(*found);
}

inline std::string content_of(const Filesystem& filesystem, const DeletedFile& file) {
  std::string text(file.info.size, 'x');
  const auto count = filesystem.read_deleted(file, 0, std::as_writable_bytes(std::span(text)));
  return count ? text.substr(0, *count) : to_string(count.error());
}

}  // namespace icecore::fs::tsk::test
