// Our reading of an image against a kernel's: each file on its own, all at once, and nothing beside what the kernel has.
#pragma once

#include <unordered_set>

#include "fs/xfs/tree.h"
#include "fs/xfs/xfs.h"
#include "fs/xfs/xfs_image.h"

namespace icecore::fs::xfs::test {

/// The tree as the kernel's mount of the image shows it.
inline Tree mounted_tree(const Path& image, const Path& folder, const std::string& options) {
  const Mount mount(image, folder, options);
  EXPECT_TRUE(mount.ok()) << mount.message();
  return mount.ok() ? kernel_tree(mount.folder()) : Tree{};
}

/// Live files that no name leads to: none on a disk that was unmounted or recovered.
inline void expect_no_nameless(const FileTable& table, const std::string& what) {
  std::unordered_set<std::uint64_t> named{table.root_inode};
  for (const Name& name : table.names)
    if (!name.deleted) named.insert(name.inode);
  for (const FileInfo& file : table.files)
    if (file.allocated && !named.contains(file.inode)) ADD_FAILURE() << what << ": the kernel has no inode " << file.inode;
}

/// The recovered view. Null where it cannot be opened.
inline FilesystemPtr expect_tree(const Tree& expected, const Path& image, const std::string& what) {
  Anomalies anomalies;
  auto filesystem = xfs::open(open_image(image), {}, anomalies);
  EXPECT_TRUE(filesystem.has_value()) << what << ": " << to_string(filesystem.error());
  if (!filesystem) return nullptr;
  expect_same_tree(expected, our_tree(**filesystem), what + ", one by one");
  const auto table = (*filesystem)->sweep({}, anomalies, no_progress());
  EXPECT_TRUE(table.has_value()) << what << ": " << to_string(table.error());
  if (!table) return nullptr;
  expect_same_tree(without_contents(expected), swept_tree(*table), what + ", sweep");
  expect_no_nameless(*table, what);
  for (const Anomaly& anomaly : anomalies.list()) ADD_FAILURE() << what << ": " << anomaly.kind << ": " << to_string(anomaly.error);
  return *filesystem;
}

}  // namespace icecore::fs::xfs::test
