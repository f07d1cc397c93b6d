// A table's inodes found by number, and paths joined out of it, where folders lie in each other without end.
#include "fs/file_table.h"

#include <gtest/gtest.h>
#include <algorithm>

namespace icecore::fs::test {
namespace {

// Each folder in the one before it.
FileTable nested(std::size_t folders, std::string_view name) {
  FileTable table;
  table.root_inode = 1;
  for (std::uint64_t inode = 1; inode <= folders; ++inode) {
    FileInfo info;
    info.inode = inode;
    info.type = FileType::kDirectory;
    table.files.push_back(info);
    if (inode == 1) continue;
    table.names.push_back({inode - 1, inode, table.text.size(), static_cast<std::uint16_t>(name.size()), false});
    table.text += name;
  }
  table.build_index();
  return table;
}

FileTable table_of(const std::vector<std::uint64_t>& inodes) {
  FileTable table;
  for (const std::uint64_t inode : inodes) {
    table.files.emplace_back();
    table.files.back().inode = inode;
  }
  return table;
}

// With the index and without it: dense numbers with full and broken pages of 64, sparse ones as on a large XFS, and (which no reader makes) one
// twice.
TEST(FileTable, IndexFindsWhatTheFilesHold) {
  std::vector<std::uint64_t> dense, sparse, twice;
  for (std::uint64_t inode = 1; inode < 1000; ++inode)
    if (inode < 300 || inode % 3 != 0) dense.push_back(inode);
  for (std::uint64_t group = 0; group < 50; ++group)
    for (std::uint64_t inode = 0; inode < (group % 2 == 0 ? 64U : 40U); ++inode) sparse.push_back((group << 32) + 128 + inode);
  for (std::uint64_t inode = 64; inode < 127; ++inode) twice.push_back(inode);
  twice.push_back(126);  // 64 of one page, without its last
  for (const auto& inodes : {dense, sparse, twice}) {
    FileTable table = table_of(inodes);
    for (const bool indexed : {false, true}) {
      if (indexed) table.build_index();
      for (std::uint64_t inode = 0; inode < 1100; ++inode)
        EXPECT_EQ(table.find(inode) != nullptr, std::ranges::binary_search(inodes, inode)) << inode << indexed;
      for (const std::uint64_t inode : inodes) {
        const auto index = table.index_of(inode);
        ASSERT_TRUE(index) << inode << indexed;
        EXPECT_EQ(table.files[*index].inode, inode);
        EXPECT_EQ(table.find(inode), &table.files[*index]);
      }
      EXPECT_FALSE(table.index_of(UINT64_MAX));
    }
  }
}

TEST(PathIndex, FoldersInFoldersCostNoMoreThanThePathsThatLinuxCanName) {
  constexpr std::size_t kFolders = 100'000;
  const std::string name(200, 'n');
  const FileTable table = nested(kFolders, name);  // whole, their paths would be 1 TB
  const PathIndex paths(table);
  EXPECT_EQ(paths.directory(1), "");
  EXPECT_EQ(paths.directory(3), "/" + name + "/" + name);
  EXPECT_EQ(paths.directory(21).size(), 20 * 201U);  // 4020 bytes, the last that can be named
  EXPECT_EQ(paths.directory(22), "/$Orphan/22");
  EXPECT_EQ(paths.directory(23), "/$Orphan/22/" + name);
  for (std::uint64_t inode = 1; inode <= kFolders; ++inode) ASSERT_LE(paths.directory(inode).size(), 4096U);
}

}  // namespace
}  // namespace icecore::fs::test
