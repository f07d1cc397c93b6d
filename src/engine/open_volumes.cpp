#include "engine/open_volumes.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "volume/signature.h"
#include "volume/stack.h"

namespace icecore::engine {
namespace {

// Partitions that hold no files by design, so that not reading them is no gap: BIOS boot, Linux swap, LDM and the like.
constexpr std::array<std::string_view, 3> kFilelessTypes = {"21686148-6449-6E6F-744E-656564454649", "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", "0x82"};

constexpr std::uint64_t kMaximumKey = std::uint64_t{8} << 20;

bool is_fileless(const volume::Volume& volume) { return std::ranges::find(kFilelessTypes, volume.type) != kFilelessTypes.end(); }

struct Part {
  const Disk* disk;
  volume::Volume volume;
};

Result<void> list_parts(Workspace& workspace, const Disk& disk, std::vector<Part>& parts) {
  auto table = volume::read_volumes(disk.source, workspace.anomalies());
  if (!table && machine::ends_the_run(table.error().code)) return Failure(table.error());
  if (!table) {
    workspace.anomalies().add("volume.unreadable", table.error());
    return {};
  }
  for (volume::Volume& volume : table->volumes)
    if (!is_fileless(volume)) parts.push_back({&disk, std::move(volume)});
  return {};
}

// Swap is no gap beside a filesystem; where there is nothing else, it is why there are no files, and "no findings" would be too much said.
void tell_of_swap(const std::vector<Part>& parts, Anomalies& anomalies) {
  for (const Part& part : parts) {
    const auto found = volume::recognise(*part.volume.source);
    if (!found || !*found || (*found)->kind != volume::ContentKind::kSwap) continue;
    anomalies.add("filesystem.none", Error{Code::kUnsupported, fmt::format("this is {}, which holds no files", (*found)->name),
                                           Location{part.volume.source->name(), 0}, nullptr});
  }
}

machine::Partition describe(const std::vector<Part>& parts, volume::Piece piece, fs::FilesystemPtr filesystem) {
  const Part& first = parts[*piece.partitions.begin()];
  machine::Partition partition;
  partition.snapshot = first.disk->snapshot;
  partition.volume = first.disk->volume;
  partition.device = first.disk->device;
  partition.filesystem = std::move(filesystem);
  if (piece.names.empty()) {
    partition.number = first.volume.number;
    partition.uuid = first.volume.uuid;
    partition.label = first.volume.name;
    return partition;
  }
  partition.names = std::move(piece.names);
  partition.device.clear();  // a name of the disk, under which this is not known
  for (const std::size_t i : piece.partitions) {
    const Disk& disk = *parts[i].disk;
    const machine::DiskOrigin origin{disk.source.get(), disk.snapshot, disk.volume};
    if (std::ranges::find(partition.disks, origin.disk, &machine::DiskOrigin::disk) == partition.disks.end()) partition.disks.push_back(origin);
  }
  return partition;
}

}  // namespace

Result<std::vector<volume::LuksKey>> read_luks_keys(const TargetOptions& options) {
  std::vector<volume::LuksKey> keys;
  for (const std::string& file : options.luks_passphrase_files) {
    ICECORE_ASSIGN(std::string text, read_text_file(file, kMaximumKey));
    if (!text.empty() && text.back() == '\n') text.pop_back();
    keys.push_back({std::move(text), file});
  }
  for (const std::string& file : options.luks_key_files) {
    ICECORE_ASSIGN(std::string text, read_text_file(file, kMaximumKey));
    keys.push_back({std::move(text), file});
  }
  return keys;
}

Result<std::vector<machine::Partition>> open_volumes(Workspace& workspace, const std::vector<Disk>& disks, const TargetOptions& options) {
  Anomalies& anomalies = workspace.anomalies();
  volume::StackOptions stacking;
  ICECORE_ASSIGN(stacking.keys, read_luks_keys(options));
  std::vector<Part> parts;
  for (const Disk& disk : disks) ICECORE_CHECK(list_parts(workspace, disk, parts));
  std::vector<image::SourcePtr> sources;
  for (const Part& part : parts) sources.push_back(part.volume.source);
  ICECORE_ASSIGN(auto pieces, volume::unstack(sources, stacking, anomalies));
  std::vector<machine::Partition> partitions;
  for (volume::Piece& piece : pieces) {
    auto filesystem = fs::open(piece.source, {options.view}, anomalies);
    if (filesystem) {
      partitions.push_back(describe(parts, std::move(piece), std::move(*filesystem)));
      continue;
    }
    if (machine::ends_the_run(filesystem.error().code)) return Failure(filesystem.error());
    anomalies.add(filesystem.error().code == Code::kUnsupported ? "filesystem.unsupported" : "filesystem.unreadable", filesystem.error());
  }
  if (partitions.empty()) tell_of_swap(parts, anomalies);
  return partitions;
}

}  // namespace icecore::engine
