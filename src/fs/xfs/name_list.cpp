#include "fs/xfs/name_list.h"

#include <unordered_map>

namespace icecore::fs::xfs {
namespace {

void append(const NameList& list, FileTable& table) {
  const std::uint64_t base = table.text.size();
  table.text += list.text;
  for (Name name : list.names) {
    name.text_offset += base;
    table.names.push_back(name);
  }
}

// Marks what repeats: `deleted` are indexes of deleted names, looked at in order.
std::vector<bool> repeated(const FileTable& table, const std::vector<std::size_t>& deleted) {
  std::unordered_multimap<std::uint64_t, std::size_t> by_inode;
  std::vector<bool> drop(table.names.size(), false);
  const auto same = [&](const Name& a, const Name& b) { return a.parent == b.parent && table.text_of(a) == table.text_of(b); };
  for (const std::size_t index : deleted) {
    const Name& name = table.names[index];
    const auto [begin, end] = by_inode.equal_range(name.inode);
    drop[index] = std::any_of(begin, end, [&](const auto& other) { return same(name, table.names[other.second]); });
    if (!drop[index]) by_inode.emplace(name.inode, index);
  }
  for (const Name& live : table.names) {
    if (live.deleted) continue;
    const auto [begin, end] = by_inode.equal_range(live.inode);
    for (auto other = begin; other != end; ++other)
      if (same(live, table.names[other->second])) drop[other->second] = true;
  }
  return drop;
}

}  // namespace

void join_names(std::vector<NameList>& lists, FileTable& table) {
  std::size_t names = table.names.size(), text = table.text.size();
  for (const NameList& list : lists) {
    names += list.names.size();
    text += list.text.size();
  }
  table.names.reserve(names);
  table.text.reserve(text);
  std::vector<std::size_t> deleted;
  std::vector<FileType> types;
  for (NameList& list : lists) {
    append(list, table);
    types.insert(types.end(), list.deleted_types.begin(), list.deleted_types.end());
    list = {};
  }
  if (types.empty()) return;
  for (std::size_t i = 0; i < table.names.size(); ++i)
    if (table.names[i].deleted) deleted.push_back(i);
  for (std::size_t i = 0; i < deleted.size(); ++i) {
    const auto file = std::ranges::lower_bound(table.files, table.names[deleted[i]].inode, {}, &FileInfo::inode);
    if (file != table.files.end() && file->inode == table.names[deleted[i]].inode && file->mode == 0) file->type = types[i];
  }
  const std::vector<bool> drop = repeated(table, deleted);
  std::size_t index = 0;
  std::erase_if(table.names, [&](const Name&) { return drop[index++]; });
}

}  // namespace icecore::fs::xfs
