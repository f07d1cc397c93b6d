// The part of a tree that never changes: the mount's own folders, and which folders of the machine have volumes mounted over them.
#include <algorithm>

#include "core/text.h"
#include "mount/tree.h"

namespace icecore::mount {

NodeId Tree::add_fixed(NodeId parent, const std::string& name, const RawFile* file) {
  fixed_.push_back({parent, {}, file ? file->source : nullptr, file ? file->layer : nullptr});
  const NodeId id = fixed_.size();
  if (is_fixed(parent))
    fixed_[static_cast<std::size_t>(parent) - 1].children[name] = id;
  else
    overlays_[parent][name] = id;
  return id;
}

Result<NodeId> Tree::add_top(NodeId parent, const std::string& name, View view, std::size_t partition) {
  const std::uint64_t inode = layout_.machine->partitions()[partition].filesystem->info().root_inode;
  const auto id = stored_id({view, partition, inode});
  if (!id) return fail(Code::kCorrupt, "the root folder's inode number is beyond what a disk can hold");
  tops_[*id] = parent;
  if (is_fixed(parent))
    fixed_[static_cast<std::size_t>(parent) - 1].children[name] = *id;
  else
    overlays_[parent][name] = *id;
  return *id;
}

Result<void> Tree::build() {
  if (layout_.machine) {
    const machine::Machine& machine = *layout_.machine;
    NodeId top = 0;
    if (machine.has_root()) {
      root_partition_ = machine.mounts().front().partition;
      ICECORE_ASSIGN(top, add_top(kMountFolder, "root", View::kMachine, root_partition_));
    } else {
      top = add_fixed(kMountFolder, "root");
    }
    tree_tops_.insert(top);
    std::vector<machine::Mount> mounts(machine.mounts().begin() + (machine.has_root() ? 1 : 0), machine.mounts().end());
    std::ranges::stable_sort(mounts, {}, [](const machine::Mount& mount) { return mount.path.size(); });
    for (const machine::Mount& mount : mounts) ICECORE_CHECK(place_mount(top, mount));
  }
  const NodeId volumes = add_fixed(kMountFolder, "volumes");
  for (const DiskFolder& disk : layout_.disks) {
    const NodeId folder = add_fixed(volumes, disk.name);
    for (const RawFile& file : disk.files) add_fixed(folder, file.name, &file);
    for (const FilesystemFolder& shown : disk.filesystems) {
      ICECORE_ASSIGN(const NodeId id, add_top(folder, shown.name, View::kPartition, shown.partition));
      tree_tops_.insert(id);
    }
  }
  return {};
}

// Goes along the mount's path as it stands (the machine has followed its links) and makes folders where the disk has none.
Result<void> Tree::place_mount(NodeId top, const machine::Mount& mount) {
  NodeId here = top;
  auto names = split(mount.path, '/');
  std::erase(names, std::string_view());
  if (names.empty()) return {};
  const std::string last(names.back());
  names.pop_back();
  for (const std::string_view name : names) {
    ICECORE_ASSIGN(const ListingPtr listing, read_listing(here));
    const auto found = std::ranges::find(listing->names, name, &ListedName::name);
    std::optional<NodeId> next;
    if (found != listing->names.end() && found->target != 0) next = found->target;
    if (found != listing->names.end() && found->target == 0) {
      StoredFile file = stored_file(here);
      file.inode = found->inode;
      const auto info = filesystem(file).stat(file.inode);
      if (info && info->type == fs::FileType::kDirectory) next = stored_id(file);
    }
    here = next ? *next : add_fixed(here, std::string(name));
  }
  ICECORE_CHECK(add_top(here, last, View::kMachine, mount.partition));
  return {};
}

}  // namespace icecore::mount
