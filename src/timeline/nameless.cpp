#include "timeline/nameless.h"

#include <algorithm>

namespace icecore::timeline {

std::vector<const fs::FileInfo*> nameless_files(const fs::FileTable& table) {
  std::vector<bool> named(table.files.size(), false);
  for (const fs::Name& name : table.names)
    if (const auto index = table.index_of(name.inode)) named[*index] = true;
  std::vector<const fs::FileInfo*> rest;
  for (std::size_t i = 0; i < table.files.size(); ++i) {
    const fs::FileInfo& file = table.files[i];
    if (!named[i] && file.inode != table.root_inode && file.type != fs::FileType::kUnknown) rest.push_back(&file);
  }
  return rest;
}

}  // namespace icecore::timeline
