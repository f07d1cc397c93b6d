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

// All that tells names apart: hashed whole, because a hostile directory may give one inode a million names.
struct Key {
  std::uint64_t inode, parent;
  std::string_view text;
  bool operator==(const Key&) const = default;
};
struct KeyHash {
  std::size_t operator()(const Key& key) const {
    return std::hash<std::string_view>()(key.text) ^ ((key.inode * 0x9e3779b97f4a7c15 + key.parent) * 0xff51afd7ed558ccd);
  }
};

// Marks what repeats: `deleted` are indexes of deleted names, looked at in order.
std::vector<bool> repeated(const FileTable& table, const std::vector<std::size_t>& deleted) {
  const auto key_of = [&](const Name& name) { return Key{name.inode, name.parent, table.text_of(name)}; };
  std::unordered_map<Key, std::size_t, KeyHash> known;
  std::vector<bool> drop(table.names.size(), false);
  for (const std::size_t index : deleted) drop[index] = !known.try_emplace(key_of(table.names[index]), index).second;
  for (const Name& live : table.names) {
    if (live.deleted) continue;
    if (const auto same = known.find(key_of(live)); same != known.end()) drop[same->second] = true;
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
