// Paths joined out of a table, where folders lie in each other without end.
#include "fs/file_table.h"

#include <gtest/gtest.h>

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
