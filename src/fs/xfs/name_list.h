// Names collected by one thread, to be joined into a FileTable.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "fs/file_table.h"
#include "fs/xfs/directory.h"

namespace icecore::fs::xfs {

struct NameList {
  std::vector<Name> names;
  std::vector<FileType> deleted_types;  ///< of the deleted names, in order
  std::string text;

  void add(std::uint64_t parent, const RawEntry& entry) {
    names.push_back({parent, entry.inode, text.size(), static_cast<std::uint16_t>(entry.name.size()), entry.deleted});
    if (entry.deleted) deleted_types.push_back(entry.type);
    text += entry.name;
  }
};

/// Joins the lists in order and drops deleted names that say nothing new: the same inode under the same name in the same directory is there, live or
/// deleted. Free inodes of unknown type get the type that a deleted name gives them.
void join_names(std::vector<NameList>& lists, FileTable& table);

}  // namespace icecore::fs::xfs
