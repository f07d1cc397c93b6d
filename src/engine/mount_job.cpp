#include "engine/mount_job.h"

#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "mount/serve.h"

namespace icecore::engine {
namespace {

std::string unique_name(const std::string& wanted, std::set<std::string>& taken) {
  std::string name = wanted;
  for (int copy = 2; !taken.insert(name).second; ++copy) name = fmt::format("{}-{}", wanted, copy);
  return name;
}

std::string disk_name(const Disk& disk) {
  std::string name = disk.volume.empty() ? Path(disk.snapshot).filename().string() : disk.volume;
  std::ranges::replace(name, '/', '_');
  return name.empty() || name == "." || name == ".." ? "disk" : name;
}

std::string partition_name(const std::optional<std::uint32_t>& number) { return number ? fmt::format("partition-{}", *number) : "filesystem"; }

Result<mount::DiskFolder> folder_of(const Disk& disk, const Target& target, std::string name) {
  mount::DiskFolder folder{std::move(name), {{"image.raw", disk.source}}, {}};
  std::set<std::string> taken = {"image.raw"};
  Anomalies known;  // opening the target has reported them
  const auto table = volume::read_volumes(disk.source, known);
  if (!table && machine::ends_the_run(table.error().code)) return Failure(table.error());
  if (table)
    for (const volume::Volume& part : table->volumes)
      if (part.number) folder.files.push_back({unique_name(fmt::format("partition-{}.raw", *part.number), taken), part.source});
  if (!target.machine) return folder;
  const auto& partitions = target.machine->partitions();
  for (std::size_t i = 0; i < partitions.size(); ++i)
    if (partitions[i].snapshot == disk.snapshot) folder.filesystems.push_back({unique_name(partition_name(partitions[i].number), taken), i});
  return folder;
}

}  // namespace

Result<mount::Layout> layout_of(const Target& target) {
  mount::Layout layout;
  layout.machine = target.machine;
  std::set<std::string> taken;
  for (const Disk& disk : target.disks) {
    ICECORE_ASSIGN(auto folder, folder_of(disk, target, unique_name(disk_name(disk), taken)));
    layout.disks.push_back(std::move(folder));
  }
  return layout;
}

Result<Mounted> mount_target(Workspace& workspace, const Target& target, const MountOptions& options) {
  ICECORE_ASSIGN(const mount::Layout layout, options.writable ? writable_layout_of(workspace, target, options.layer_file) : layout_of(target));
  ICECORE_ASSIGN(const auto tree, mount::Tree::make(layout));
  mount::Faults faults(workspace.anomalies(), [&](std::string_view line) { workspace.say(line); });
  mount::ServeOptions serving;
  serving.name = target.name;
  serving.allow_other = options.allow_other;
  serving.writable = options.writable;
  serving.read_ahead = std::ranges::any_of(target.disks, [](const Disk& disk) { return disk.on_demand != nullptr; });
  if (options.mounted) serving.mounted = [&] { return options.mounted(layout); };
  ICECORE_CHECK(mount::serve(*tree, faults, options.folder, serving));
  if (const auto integrity = faults.integrity()) return Failure(*integrity);
  if (const auto failure = faults.failure()) return wrap(*failure, fmt::format("{} reads from the mount failed", faults.count()));
  return Mounted{faults.count()};
}

}  // namespace icecore::engine
