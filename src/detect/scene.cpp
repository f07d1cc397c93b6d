#include "detect/scene.h"

#include <algorithm>

namespace icecore::detect {

Sweep Sweep::of(fs::FileTable table) {
  Sweep sweep;
  sweep.table = std::make_shared<const fs::FileTable>(std::move(table));
  sweep.paths = std::make_shared<const fs::PathIndex>(*sweep.table);
  return sweep;
}

std::string SweptFile::folder() const {
  const std::string& inside = sweep->paths->directory(name->parent);
  return mounted->path == "/" ? inside : mounted->path + inside;
}

std::string SweptFile::path() const { return folder() + '/' + std::string(text()); }

machine::FileRef SweptFile::ref() const { return {mount, path(), *info}; }

void for_each_name(const Scene& scene, const std::function<void(const SweptFile&)>& visit) {
  if (!scene.has_machine()) return;
  const auto& mounts = scene.machine->mounts();
  for (std::size_t mount = 0; mount < std::min(scene.sweeps.size(), mounts.size()); ++mount) {
    const Sweep& sweep = scene.sweeps[mount];
    if (sweep.table == nullptr) continue;
    for (const fs::Name& name : sweep.table->names) {
      if (name.deleted) continue;
      const fs::FileInfo* info = sweep.table->find(name.inode);
      if (info != nullptr && info->allocated) visit({mount, info, &name, &sweep, &mounts[mount]});
    }
  }
}

Ownership ownership(const Scene& scene, std::string_view path) {
  if (scene.dpkg.empty()) return Ownership::kUnknown;
  return scene.dpkg.owner(path) ? Ownership::kPackaged : Ownership::kUnpackaged;
}

Result<std::optional<Timestamp>> first_boot(const Scene& scene) {
  if (scene.has_machine()) {
    ICECORE_ASSIGN(const auto folder, scene.machine->find("/var/lib/cloud/instance"));
    if (folder && folder->info.born) return folder->info.born;
    ICECORE_ASSIGN(const auto keys, scene.machine->glob("/etc/ssh/ssh_host_*_key"));
    std::optional<Timestamp> oldest;
    for (const auto& key : keys) {
      const Timestamp made = std::min(key.info.modified, key.info.born.value_or(key.info.modified));
      if (!oldest || made < *oldest) oldest = made;
    }
    if (oldest) return oldest;
  }
  return scene.instance.launch_time;
}

}  // namespace icecore::detect
