// What a timeline says of deleted files and of names that live files no longer have: one entry for each name, and one for a file without any.
#pragma once

#include <string>
#include <vector>

#include "timeline/layer.h"

namespace icecore::timeline {

/// Borrows from the layer. `file` is null for a former name of a live file, `name` for a file without a name.
struct GoneName {
  const fs::DeletedFile* file = nullptr;
  const fs::DeletedName* name = nullptr;
  std::uint64_t inode = 0;

  /// Inside the filesystem: "/var/tmp/x"; "/$OrphanFiles/OrphanFile-12" without a name.
  std::string path() const;
};

/// Those of a layer that has looked for deleted files; empty for others. In their order.
std::vector<GoneName> gone_names(const Layer& layer);

}  // namespace icecore::timeline
