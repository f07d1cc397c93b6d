// What all filesystems share of deleted files.
#include "fs/deleted_file.h"

#include <gtest/gtest.h>

namespace icecore::fs {
namespace {

constexpr std::uint64_t kRoot = 2;

FileTable table_of_root() {
  FileTable table;
  table.root_inode = kRoot;
  FileInfo root;
  root.inode = kRoot;
  root.type = FileType::kDirectory;
  table.files.push_back(root);
  return table;
}

DeletedName name_of(std::uint64_t parent, std::string text, Sureness sureness, std::uint64_t transaction) {
  return {parent, {}, std::move(text), "", sureness, {Origin::Kind::kJournal, 0, transaction, {}, {}}};
}

// A folder's files stand under the name that the folder itself is shown with, in whatever order its names were found, and wherever its inode number
// lies among theirs.
TEST(DeletedFiles, AFolderThatWasRenamedHasOnePath) {
  for (const std::uint64_t folder : {std::uint64_t{10}, std::uint64_t{30}}) {
    DeletedFiles deleted;
    DeletedFile gone, file;
    gone.info.inode = folder;
    gone.info.type = FileType::kDirectory;
    gone.names = {name_of(kRoot, "before", Sureness::kSure, 5), name_of(kRoot, "after", Sureness::kSure, 9),
                  name_of(kRoot, "between", Sureness::kSure, 7), name_of(kRoot, "perhaps", Sureness::kGuess, 11)};
    file.info.inode = 20;
    file.info.type = FileType::kRegular;
    file.names = {name_of(folder, "file", Sureness::kSure, 6)};
    deleted.files = folder < 20 ? std::vector{gone, file} : std::vector{file, gone};
    deleted.former_names = {{21, name_of(folder, "link", Sureness::kSure, 6)}};
    const FileTable table = table_of_root();
    resolve_paths(deleted, table, PathIndex(table));
    const std::size_t at = folder < 20 ? 0 : 1;
    EXPECT_EQ(deleted.files[at].path(), "/after");
    EXPECT_EQ(deleted.files[1 - at].path(), "/after/file");
    EXPECT_EQ(deleted.former_names[0].name.path, "/after/link");
  }
}

}  // namespace
}  // namespace icecore::fs
