// What removed files leave: names in the free space of directory blocks, inodes without a mode, and the extents that their forks still map.
#include <gtest/gtest.h>

#include <set>

#include "fs/xfs/tree.h"
#include "fs/xfs/xfs.h"
#include "fs/xfs/xfs_image.h"

namespace icecore::fs::xfs::test {
namespace {

struct Removed {
  std::string content;
  FileInfo before;
};

std::string content_of(int i) {
  std::string text;
  while (text.size() < static_cast<std::size_t>(i) * 1500) text += fmt::format("file {} at {}\n", i, text.size());
  return text;
}

class XfsDeleted : public testing::TestWithParam<std::string> {};

TEST_P(XfsDeleted, NamesInodesAndContentsAreFound) {
  const icecore::test::ScratchFolder scratch;
  const Path image = scratch / "image";
  make_xfs(image, GetParam());
  std::map<std::string, Removed> removed;
  {
    const Mount mount(image, scratch / "mount", "noatime");
    ASSERT_TRUE(mount.ok()) << mount.message();
    const std::string folder = mount.folder().string() + "/home";
    run_ok("mkdir " + folder);
    const auto path = [&](int i) { return fmt::format("{}/report-{:03}.txt", folder, i); };
    for (int i = 1; i <= 60; ++i) ASSERT_TRUE(write_file_atomically(path(i), content_of(i)).has_value());
    run_ok("sync -f " + folder);
    // Once more through the journal to the disk, so that what is removed was there.
    run_ok(fmt::format("xfs_freeze -f '{0}' && xfs_freeze -u '{0}'", mount.folder().string()));
    for (int i = 5; i <= 60; i += 5) {
      removed[fmt::format("report-{:03}.txt", i)] = {content_of(i), kernel_status(path(i)).value()};
      std::filesystem::remove(path(i));
    }
  }
  Anomalies anomalies;
  const auto filesystem = xfs::open(open_image(image), {}, anomalies);
  ICECORE_ASSERT_OK(filesystem);
  const auto table = (*filesystem)->sweep({true}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  EXPECT_EQ(anomalies.count(), 0U);
  const PathIndex paths(*table);
  std::size_t found = 0;
  for (const Name& name : table->names) {
    if (!name.deleted) continue;
    const auto known = removed.find(std::string(table->text_of(name)));
    if (known == removed.end()) continue;  // temporaries of write_file_atomically
    ++found;
    EXPECT_EQ(paths.path_of(name), "/home/" + known->first);
    EXPECT_EQ(name.inode, known->second.before.inode);
    const FileInfo* info = table->find(name.inode);
    ASSERT_NE(info, nullptr);
    EXPECT_FALSE(info->allocated);
    EXPECT_EQ(info->type, FileType::kRegular);
    EXPECT_EQ(info->deleted, info->changed);
    EXPECT_GE(info->changed, known->second.before.changed);
    EXPECT_EQ(info->born, known->second.before.born);
    // Nothing was written after: all of the content is where it was, in whole blocks.
    std::string content(info->size, '\0');
    const auto got = (*filesystem)->read(name.inode, 0, std::as_writable_bytes(std::span(content)));
    ICECORE_ASSERT_OK(got);
    EXPECT_GE(info->size, known->second.content.size());
    EXPECT_LT(info->size, known->second.content.size() + (*filesystem)->info().block_size);
    EXPECT_EQ(content.substr(0, known->second.content.size()), known->second.content) << known->first;
  }
  EXPECT_EQ(found, removed.size());

  // With the log's copies the sizes are exact, and what the free space trees say is known.
  const auto deleted = (*filesystem)->deleted_files(*table, paths, anomalies, no_progress());
  ICECORE_ASSERT_OK(deleted);
  for (const auto& [name, known] : removed) {
    const std::uint64_t inode = known.before.inode;
    const auto file = std::ranges::find_if(deleted->files, [inode](const DeletedFile& one) { return one.info.inode == inode && !one.inode_reused; });
    ASSERT_NE(file, deleted->files.end()) << name;
    EXPECT_TRUE(file->size_exact);
    EXPECT_EQ(file->content, ContentState::kIntact);
    // Its temporary name was its own too, and free space does not say which came last.
    EXPECT_TRUE(std::ranges::any_of(file->names, [&](const DeletedName& one) { return one.path == "/home/" + name; })) << name;
    EXPECT_EQ(file->info.size, known.before.size);
    EXPECT_EQ(file->info.mode, known.before.mode);
    EXPECT_EQ(file->info.modified, known.before.modified);
    std::string content(file->info.size, '\0');
    ICECORE_ASSERT_OK((*filesystem)->read_deleted(*file, 0, std::as_writable_bytes(std::span(content))));
    EXPECT_EQ(content, known.content) << name;
  }

  const auto live = (*filesystem)->sweep({false}, anomalies, no_progress());
  ICECORE_ASSERT_OK(live);
  EXPECT_TRUE(std::ranges::none_of(live->names, &Name::deleted));
  EXPECT_TRUE(std::ranges::all_of(live->files, &FileInfo::allocated));
}

INSTANTIATE_TEST_SUITE_P(Mkfs, XfsDeleted, testing::Values("", "-b size=1024 -n size=4096"),
                         [](const auto& variant) { return variant.param.empty() ? "defaults" : "small_blocks"; });

}  // namespace
}  // namespace icecore::fs::xfs::test
