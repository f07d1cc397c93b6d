// A hostile directory: inside its inode, or the blocks that its extents and trees lead to, with what is left in their free space.
#include "fs/xfs/directory.h"
#include "fs/xfs/directory_map.h"
#include "fs/xfs/name_list.h"
#include "xfs_parts.h"

using namespace icecore;
using fuzz::xfs::require;

namespace {

// One block, as the sweep reads it: live names, or those with the ones in free space too.
Result<void> read(const fuzz::xfs::Input& input, const fs::xfs::DirectoryBlock& block, bool deleted, fs::xfs::NameList& list) {
  const fs::xfs::Superblock& super = input.reader.super;
  Bytes bytes;
  ICECORE_CHECK(fs::xfs::read_directory_block(input.reader, block, bytes));
  (void)fs::xfs::directory_checksum_ok(super, bytes);
  return fs::xfs::parse_directory_block(super, input.number, bytes, deleted, input.reader.at(0), [&](const fs::xfs::RawEntry& entry) {
    require(!entry.name.empty() && super.contains_inode(entry.inode), "an entry has a name, and an inode that can be");
    require(deleted || !entry.deleted, "deleted names are given only when asked for");
    list.add(input.number, entry);
  });
}

}  // namespace

// An entry of 16 bytes becomes a name of 32, thrice while the list grows; the two lists are of two readings of the block.
const icecore::fuzz::Budget icecore::fuzz::kBudget{.times = 8, .base = 64 << 10};

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const auto given = fuzz::xfs::inode_of(fuzz::view_of(data, size));
  if (!given) return;
  const fuzz::xfs::Input& input = given->input;
  const fs::xfs::Inode& inode = given->inode;
  const fs::xfs::Superblock& super = input.reader.super;
  const Location where = input.reader.at(0, input.number);
  std::vector<fs::xfs::NameList> lists(2);
  (void)fs::xfs::parse_short_form(super, inode.data.bytes, where, [&](const fs::xfs::RawEntry& entry) { lists[0].add(input.number, entry); });
  const auto mappings = fs::xfs::read_mappings(input.reader, inode.data, false, where);
  if (!mappings) return;
  std::uint64_t next = 0;
  fs::xfs::for_each_directory_block(super, input.number, *mappings, [&](fs::xfs::DirectoryBlock&& block) {
    require(block.index >= next, "blocks ascend");
    next = block.index + 1;
    if (block.pieces.empty()) return true;
    const bool live = read(input, block, false, lists[0]).has_value();
    return read(input, block, true, lists[1]).has_value() && live;
  });
  fs::FileTable table;
  fs::xfs::join_names(lists, table);
  for (const fs::Name& name : table.names) require(table.text_of(name).size() == name.text_length, "a name's text is in the pool");
}
