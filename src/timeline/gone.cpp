#include "timeline/gone.h"

#include <fmt/format.h>

namespace icecore::timeline {

std::string GoneName::path() const { return name != nullptr ? name->path : fmt::format("/$OrphanFiles/OrphanFile-{}", inode); }

std::vector<GoneName> gone_names(const Layer& layer) {
  std::vector<GoneName> gone;
  if (layer.deleted == nullptr) return gone;
  for (const fs::DeletedFile& file : layer.deleted->files) {
    for (const fs::DeletedName& name : file.names) gone.push_back({&file, &name, file.info.inode});
    if (file.names.empty() && file.info.type != fs::FileType::kUnknown) gone.push_back({&file, nullptr, file.info.inode});
  }
  for (const fs::FormerName& former : layer.deleted->former_names) gone.push_back({nullptr, &former.name, former.inode});
  return gone;
}

}  // namespace icecore::timeline
