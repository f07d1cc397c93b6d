#include "engine/open_volumes.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "volume/empty.h"
#include "volume/signature.h"
#include "volume/stack.h"

namespace icecore::engine {
namespace {

// Partitions that hold no files by design, so that not reading them is no gap: BIOS boot, Linux swap.
constexpr std::string_view kBiosBoot = "21686148-6449-6E6F-744E-656564454649";
constexpr std::array<std::string_view, 3> kFilelessTypes = {kBiosBoot, "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", "0x82"};
constexpr std::uint64_t kLargestBootCode = std::uint64_t{32} << 20;

constexpr std::uint64_t kMaximumKey = std::uint64_t{8} << 20;

// A type is only a word of the table: what could hide a filesystem is looked at all the same.
Result<bool> is_fileless(const volume::Volume& volume) {
  if (std::ranges::find(kFilelessTypes, volume.type) == kFilelessTypes.end()) return false;
  if (volume.type == kBiosBoot && volume.size <= kLargestBootCode) return true;
  const auto found = volume::recognise(*volume.source);
  if (!found && machine::ends_the_run(found.error().code)) return Failure(found.error());
  return !found || !*found || (*found)->kind == volume::ContentKind::kSwap;
}

struct Part {
  const Disk* disk;
  volume::Volume volume;
};

// What shows no signature is an anomaly, unless there is nothing in it. `why` says where it was looked at.
Result<void> sort_unknown(const image::BlockSource& source, const char* kind, Error why, std::vector<std::string>& empty, Anomalies& anomalies) {
  constexpr std::uint64_t kWiped = std::uint64_t{68} << 10;  // of all formats btrfs leaves most zeros before its first byte: 64 KiB
  const auto data = volume::find_data(source);
  if (!data && machine::ends_the_run(data.error().code)) return Failure(data.error());
  if (data && !*data) {
    empty.push_back(source.name());
    return {};
  }
  if (data && **data >= kWiped)
    why.message += fmt::format("; zeros up to its byte {}, and other data behind: its start may have been wiped", **data);
  else if (data)
    why.message += "; it may be another filesystem, the raw data of a program, or encrypted without a header";
  anomalies.add(kind, std::move(why));
  return {};
}

// What the partition tables gave.
struct Listed {
  std::vector<Part> parts;
  std::vector<std::string> empty;     // disks
  std::vector<std::string> fileless;  // disks of swap and boot code alone
};

Result<void> list_parts(Workspace& workspace, const Disk& disk, Listed& listed) {
  auto table = volume::read_volumes(disk.source, workspace.anomalies());
  if (!table && machine::ends_the_run(table.error().code)) return Failure(table.error());
  if (!table && table.error().code == Code::kNotFound)
    return sort_unknown(*disk.source, "volume.unreadable", table.error(), listed.empty, workspace.anomalies());
  if (!table) {
    workspace.anomalies().add("volume.unreadable", table.error());
    return {};
  }
  const std::size_t before = listed.parts.size();
  for (volume::Volume& volume : table->volumes) {
    ICECORE_ASSIGN(const bool fileless, is_fileless(volume));
    if (!fileless) listed.parts.push_back({&disk, std::move(volume)});
  }
  if (listed.parts.size() == before) listed.fileless.push_back(disk.source->name());
  return {};
}

// Swap and volumes that were never formatted are no gap beside a filesystem; where there is nothing else, they are why there are no files, and "no
// findings" would be too much said.
void tell_of_nothing(const Listed& listed, const std::vector<std::string>& empty, Anomalies& anomalies) {
  const auto tell = [&](Code code, std::string what, const std::string& name) {
    anomalies.add("filesystem.none", Error{code, std::move(what), Location{name, 0}, nullptr});
  };
  for (const std::string& name : empty)
    tell(Code::kNotFound, fmt::format("this is empty, never formatted or wiped: {}", volume::kEmptyEvidence), name);
  for (const std::string& name : listed.fileless)
    tell(Code::kUnsupported, "this disk has no partition that holds files: swap, boot code or none at all", name);
  for (const Part& part : listed.parts) {
    const auto found = volume::recognise(*part.volume.source);
    if (found && *found && (*found)->kind == volume::ContentKind::kSwap)
      tell(Code::kUnsupported, fmt::format("this is {}, which holds no files", (*found)->name), part.volume.source->name());
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

Result<OpenedVolumes> open_volumes(Workspace& workspace, const std::vector<Disk>& disks, const TargetOptions& options) {
  Anomalies& anomalies = workspace.anomalies();
  volume::StackOptions stacking;
  ICECORE_ASSIGN(stacking.keys, read_luks_keys(options));
  OpenedVolumes opened;
  Listed listed;
  for (const Disk& disk : disks) ICECORE_CHECK(list_parts(workspace, disk, listed));
  opened.empty = listed.empty;
  std::vector<image::SourcePtr> sources;
  for (const Part& part : listed.parts) sources.push_back(part.volume.source);
  ICECORE_ASSIGN(auto pieces, volume::unstack(sources, stacking, anomalies));
  for (volume::Piece& piece : pieces) {
    auto filesystem = fs::open(piece.source, {options.view}, anomalies);
    if (filesystem) {
      opened.partitions.push_back(describe(listed.parts, std::move(piece), std::move(*filesystem)));
      continue;
    }
    if (machine::ends_the_run(filesystem.error().code)) return Failure(filesystem.error());
    if (filesystem.error().code == Code::kNotFound)
      ICECORE_CHECK(sort_unknown(*piece.source, "filesystem.unreadable", std::move(filesystem).error(), opened.empty, anomalies));
    else
      anomalies.add(filesystem.error().code == Code::kUnsupported ? "filesystem.unsupported" : "filesystem.unreadable", filesystem.error());
  }
  if (opened.partitions.empty()) tell_of_nothing(listed, opened.empty, anomalies);
  return opened;
}

}  // namespace icecore::engine
