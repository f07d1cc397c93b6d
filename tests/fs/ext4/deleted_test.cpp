// What is left of deleted files: their inodes with a deletion time, their names in directory slack.
#include <fmt/format.h>
#include <algorithm>
#include <sstream>

#include "fs/ext4/ext4_support.h"

namespace icecore::test::ext4 {
namespace {

TEST(Deleted, InodesAndNamesAreListedAsDeleted) {
  const ScratchFolder scratch;
  const auto image = scratch / "image";
  make_image(image, 64, "mkfs.ext4 -q");
  std::map<std::uint64_t, std::string> gone;
  {
    const LoopMount mount(image, scratch / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    const std::string made = run_ok(fmt::format(
        R"(cd '{}' && mkdir d && for i in $(seq 40); do echo $i > d/file-$i; done && sync && stat -c '%i %n' d/file-1?)", mount.path().string()));
    std::istringstream lines(made);
    std::uint64_t inode = 0;
    for (std::string name; lines >> inode >> name;) gone[inode] = "/" + name;
  }
  ASSERT_EQ(gone.size(), 10U);
  // By debugfs: kernels since 5.13 wipe a removed name's bytes (commit 6c0912739699), older ones and e2fsprogs leave them.
  for (const auto& [inode, path] : gone) run_ok(fmt::format("debugfs -w -R 'rm {}' {} 2>/dev/null", path, image.string()));
  Anomalies anomalies;
  const auto filesystem = open_image(image, fs::JournalView::kRecovered, anomalies);
  ASSERT_NE(filesystem, nullptr);
  const auto table = filesystem->sweep({}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  const fs::PathIndex paths(*table);
  std::map<std::uint64_t, std::string> found;
  for (const fs::Name& name : table->names)
    if (name.deleted) found[name.inode] = paths.path_of(name);
  EXPECT_EQ(found, gone);
  for (const auto& [inode, path] : gone) {
    const fs::FileInfo* info = table->find(inode);
    ASSERT_NE(info, nullptr) << path;
    EXPECT_FALSE(info->allocated);
    ASSERT_TRUE(info->deleted.has_value());
    const std::string debugfs =
        run_ok(fmt::format("debugfs -R 'stat <{}>' {} 2>/dev/null | sed -n 's/^ *dtime: 0x\\([0-9a-f]*\\).*/\\1/p'", inode, image.string()));
    EXPECT_EQ(static_cast<std::uint64_t>(info->deleted->seconds), std::stoull(debugfs, nullptr, 16));
  }
  const auto live_only = filesystem->sweep({.deleted = false}, anomalies, no_progress());
  ICECORE_ASSERT_OK(live_only);
  EXPECT_TRUE(std::ranges::all_of(live_only->files, &fs::FileInfo::allocated));
  EXPECT_TRUE(std::ranges::none_of(live_only->names, &fs::Name::deleted));
  EXPECT_EQ(live_only->files.size() + gone.size(), table->files.size());
}

TEST(Deleted, InodesThatTheKernelDeleted) {
  const ScratchFolder scratch;
  const auto image = scratch / "image";
  make_image(image, 64, "mkfs.ext4 -q");
  std::uint64_t inode = 0;
  {
    const LoopMount mount(image, scratch / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    inode = std::stoull(run_ok(fmt::format(
        "cd '{}' && echo content > gone && chown 1234:5678 gone && chmod 4711 gone && sync && stat -c %i gone && rm gone", mount.path().string())));
  }
  Anomalies anomalies;
  const auto filesystem = open_image(image, fs::JournalView::kRecovered, anomalies);
  ASSERT_NE(filesystem, nullptr);
  const auto info = filesystem->stat(inode);
  ICECORE_ASSERT_OK(info);
  EXPECT_FALSE(info->allocated);
  ASSERT_TRUE(info->deleted.has_value());
  EXPECT_EQ(info->deleted->seconds, info->changed.seconds);
  EXPECT_EQ(info->mode, 0104711U);
  EXPECT_EQ(info->uid, 1234U);
  EXPECT_EQ(info->gid, 5678U);
}

// Splitting a full block leaves copies of names that live on; those are not deletions.
TEST(Deleted, SplitBlocksLeaveNoDeletedNames) {
  const ScratchFolder scratch;
  const auto image = scratch / "image";
  make_image(image, 64, "mkfs.ext4 -q -b 1024 -N 8000");
  {
    const LoopMount mount(image, scratch / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    run_ok(fmt::format("cd '{}' && for i in $(seq 3000); do : > some-name-$i; done", mount.path().string()));
  }
  Anomalies anomalies;
  const auto filesystem = open_image(image, fs::JournalView::kRecovered, anomalies);
  ASSERT_NE(filesystem, nullptr);
  const auto table = filesystem->sweep({}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  EXPECT_EQ(table->names.size(), 3001U);
  EXPECT_TRUE(std::ranges::none_of(table->names, &fs::Name::deleted));
  EXPECT_EQ(text_of(anomalies), "");
}

}  // namespace
}  // namespace icecore::test::ext4
