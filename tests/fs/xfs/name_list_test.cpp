// Names of a sweep joined into one table: what repeats is said once, and a directory that gives one inode very many names costs no more than its
// size.
#include "fs/xfs/name_list.h"

#include <gtest/gtest.h>

namespace icecore::fs::xfs::test {
namespace {

RawEntry entry(std::string_view name, std::uint64_t inode, bool deleted) { return {name, inode, FileType::kRegular, deleted}; }

std::vector<std::string> texts(const FileTable& table) {
  std::vector<std::string> all;
  for (const Name& name : table.names) all.push_back((name.deleted ? "deleted " : "") + std::string(table.text_of(name)));
  return all;
}

TEST(XfsNameList, DeletedNamesThatSayNothingNewAreDropped) {
  std::vector<NameList> lists(2);
  lists[0].add(1, entry("here", 10, false));
  lists[0].add(1, entry("here", 10, true));  // lives on
  lists[0].add(1, entry("gone", 11, true));
  lists[1].add(1, entry("gone", 11, true));   // twice
  lists[1].add(2, entry("gone", 11, true));   // of another folder
  lists[1].add(1, entry("gone", 12, true));   // another file
  lists[1].add(1, entry("other", 11, true));  // another name
  FileTable table;
  join_names(lists, table);
  EXPECT_EQ(texts(table), (std::vector<std::string>{"here", "deleted gone", "deleted gone", "deleted gone", "deleted other"}));
}

TEST(XfsNameList, ManyNamesOfOneInodeAreNotHeldAgainstEachOther) {
  constexpr std::size_t kNames = 400'000;  // each against each would be hours
  std::vector<NameList> lists(1);
  for (std::size_t i = 0; i < kNames; ++i) lists[0].add(1, entry(std::to_string(i), 10, i % 2 == 0));
  FileTable table;
  join_names(lists, table);
  EXPECT_EQ(table.names.size(), kNames);
}

}  // namespace
}  // namespace icecore::fs::xfs::test
