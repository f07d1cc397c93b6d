#include "engine/target.h"

#include <fmt/format.h>
#include <algorithm>
#include <filesystem>

#include "core/text.h"
#include "engine/ebs_store.h"
#include "engine/fetch_cost.h"
#include "engine/local_image.h"
#include "engine/open_volumes.h"
#include "engine/snapshots.h"
#include "image/case_image.h"
#include "volume/empty.h"

namespace icecore::engine {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

std::string image_folder(const std::string& snapshot) { return "snapshots/" + snapshot; }

Result<Disk> open_snapshot(Workspace& workspace, const SnapshotRecord& record) {
  ICECORE_ASSIGN(const Path image, workspace.folder().place(image_folder(record.snapshot) + "/image.raw"));
  auto store = std::make_shared<EbsStore>(workspace, record.snapshot, record.size_gib * kGiB, record.region);
  image::OnDemandOptions options;
  options.threads = workspace.options().fetch_threads;
  ICECORE_ASSIGN(auto on_demand, image::OnDemandImage::open(image.parent_path(), std::move(store), std::move(options)));
  return Disk{on_demand, on_demand, record.snapshot, record.volume, record.device};
}

Result<void> assemble(Workspace& workspace, Target& target, const TargetOptions& options) {
  ICECORE_ASSIGN(auto opened, open_volumes(workspace, target.disks, options));
  target.empty_volumes = std::move(opened.empty);
  if (opened.partitions.empty()) return {};
  ICECORE_ASSIGN(target.machine, machine::Machine::assemble(std::move(opened.partitions), workspace.anomalies()));
  return {};
}

Result<void> open_images(Workspace& workspace, const std::string& first, const std::vector<std::string>& others, Target& target) {
  std::vector<std::string> paths = {first};
  paths.insert(paths.end(), others.begin(), others.end());
  for (const std::string& path : paths) {
    if (target.disk(path) != nullptr) return fail(Code::kInvalidArgument, fmt::format("{} is named twice", path));
    ICECORE_ASSIGN(auto container, open_local_image(path));
    for (const container::StoredHash& hash : container.hashes)
      workspace.say(fmt::format("{}: its maker stored the {} {} (icecore verify {} checks it)", container.format, hash.algorithm, hash.hex, path));
    target.disks.push_back({std::move(container.source), nullptr, path, "", ""});
  }
  return {};
}

Result<void> open_disks_of_case(Workspace& workspace, const std::string& what, Target& target) {
  ICECORE_ASSIGN(const auto records, snapshots_of(workspace.folder()));
  for (const SnapshotRecord& record : records) {
    if (kind_of(what) == TargetKind::kSnapshot && record.snapshot != what) continue;
    ICECORE_ASSIGN(target.disks.emplace_back(), open_snapshot(workspace, record));
  }
  ICECORE_ASSIGN(auto instances, instances_of(workspace.folder()));
  if (!instances.empty()) target.instance = std::move(instances.front());
  if (target.instance) target.name = fmt::format("{} (case {})", target.instance->instance, workspace.folder().path().string());
  return {};
}

// Without the run's lock nothing can be fetched or recorded, so all of each image has to be here.
Result<void> open_disks_beside(Workspace& workspace, const Path& folder, const std::string& what, Target& target) {
  ICECORE_ASSIGN(const auto records, snapshots_beside(folder));
  for (const SnapshotRecord& record : records) {
    if (kind_of(what) == TargetKind::kSnapshot && record.snapshot != what) continue;
    auto source = image::open_case_image(folder / image_folder(record.snapshot));
    // Whatever it is: it may be the other run that is at work there, and what it has not finished yet is no damage.
    if (!source) return fail(Code::kBusy, to_string(source.error()));
    target.disks.push_back({std::move(*source), nullptr, record.snapshot, record.volume, record.device});
  }
  if (target.disks.empty()) return fail(Code::kBusy, fmt::format("{} is not in {}, which another run holds", what, folder.string()));
  target.name = fmt::format("{} (case {}, beside another run)", what, folder.string());
  workspace.say(fmt::format("{} is in use: its complete images are read beside that run, each block checked; the ledger does not tell of this",
                            folder.string()));
  return {};
}

}  // namespace

const Disk* Target::disk(std::string_view snapshot) const {
  const auto found = std::ranges::find(disks, snapshot, &Disk::snapshot);
  return found == disks.end() ? nullptr : &*found;
}

TargetKind kind_of(const std::string& target) {
  std::error_code ignored;
  if (std::filesystem::exists(target, ignored)) return std::filesystem::is_directory(target, ignored) ? TargetKind::kCase : TargetKind::kImage;
  if (target.starts_with("snap-")) return TargetKind::kSnapshot;
  if (target.starts_with("vol-")) return TargetKind::kVolume;
  if (target.starts_with("i-")) return TargetKind::kInstance;
  return TargetKind::kImage;
}

Path default_case_folder(const std::string& target) {
  switch (kind_of(target)) {
    case TargetKind::kCase: return target;
    case TargetKind::kImage: return {};
    default: return "case-" + target;
  }
}

Result<void> check_target(const std::string& what) {
  if (what.empty()) return fail(Code::kInvalidArgument, "TARGET is empty; name a case folder, a snapshot (snap-…), an image file or a block device");
  const TargetKind kind = kind_of(what);
  if (kind != TargetKind::kInstance && kind != TargetKind::kVolume) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("{} has to be collected first: icecore collect {}, then name its case folder; or icecore investigate {} for all of it",
                          what, what, what));
}

Result<Target> open_target(Workspace& workspace, const std::string& what, const TargetOptions& options) {
  ICECORE_CHECK(check_target(what));
  if (!options.with.empty() && kind_of(what) != TargetKind::kImage)
    return fail(Code::kInvalidArgument, fmt::format("--with adds image files to an image file; {} has all its disks already", what));
  Target target;
  target.name = what;
  if (!options.beside.empty()) {
    ICECORE_CHECK(open_disks_beside(workspace, options.beside, what, target));
    ICECORE_CHECK(assemble(workspace, target, options));
    return target;
  }
  switch (kind_of(what)) {
    case TargetKind::kImage: ICECORE_CHECK(open_images(workspace, what, options.with, target)); break;
    case TargetKind::kSnapshot: {
      ICECORE_ASSIGN(const auto known, snapshots_of(workspace.folder()));
      if (std::ranges::find(known, what, &SnapshotRecord::snapshot) == known.end()) {
        ICECORE_ASSIGN(const auto identity, workspace.identity());
        ICECORE_ASSIGN(aws::Session* const session, workspace.aws());
        ICECORE_ASSIGN(auto ec2, session->ec2());
        ICECORE_ASSIGN(const auto record, adopt_snapshot(workspace, ec2, what, identity.account));
        ICECORE_CHECK(wait_for_snapshots(workspace, ec2, {record}));
      }
      ICECORE_CHECK(open_disks_of_case(workspace, what, target));
      break;
    }
    case TargetKind::kCase: ICECORE_CHECK(open_disks_of_case(workspace, what, target)); break;
    default: return fail(Code::kInvalidArgument, what + " is not to be opened");  // check_target has said why
  }
  if (!options.disks_only) ICECORE_CHECK(assemble(workspace, target, options));
  return target;
}

Result<void> close_target(Target& target) {
  for (Disk& disk : target.disks)
    if (disk.on_demand) ICECORE_CHECK(disk.on_demand->close());
  return {};
}

std::string fetch_summary(const Target& target) {
  std::uint64_t fetched = 0, lists = 0, here = 0, size = 0;
  bool remote = false;
  for (const Disk& disk : target.disks) {
    if (!disk.on_demand) continue;
    remote = true;
    const image::ImageStatistics statistics = disk.on_demand->statistics();
    const image::ImageProgress progress = disk.on_demand->progress();
    fetched += statistics.blocks_fetched;
    lists += statistics.list_calls;
    here += progress.recorded_blocks;
    size += disk.size();
  }
  if (!remote) return "";
  return fmt::format("fetched {} blocks ({}) in this run, {} of {} here, each checked by its SHA-256; {} list calls; about ${:.4f}", fetched,
                     human_size(fetched * image::kBlockSize), human_size(here * image::kBlockSize), human_size(size), lists,
                     fetch_cost(target).so_far);
}

std::vector<std::string> report_facts(const Target& target) {
  std::vector<std::string> facts;
  if (std::string fetched = fetch_summary(target); !fetched.empty()) facts.push_back(std::move(fetched));
  for (const std::string& name : target.empty_volumes)
    facts.push_back(fmt::format("{} is empty, as if never formatted: {}", name, volume::kEmptyEvidence));
  if (!target.machine) return facts;
  for (const std::string& mount : target.machine->missing_mounts())
    facts.push_back(fmt::format("its fstab mounts {}, which no volume given has", mount));
  return facts;
}

}  // namespace icecore::engine
