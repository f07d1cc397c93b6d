#include "engine/acquire.h"

#include <fmt/format.h>

#include "aws/operations.h"
#include "core/text.h"
#include "engine/baseline.h"

namespace icecore::engine {
namespace {

std::string plan_line(const Disk& disk) {
  const image::ImageProgress known = disk.on_demand->progress();
  const std::uint64_t missing = known.written_blocks - known.recorded_blocks - known.offered_blocks;
  const std::string offered =
      known.offered_blocks == 0 ? "" : fmt::format(", {} from the baseline", human_size(known.offered_blocks * image::kBlockSize));
  return fmt::format("{}: {} written of {}{}, {} to fetch in {} calls, about ${:.4f}", disk.snapshot,
                     human_size(known.written_blocks * image::kBlockSize), human_size(disk.size()), offered, human_size(missing * image::kBlockSize),
                     missing, aws::cost_dollars(aws::operation("ebs", "GetSnapshotBlock"), missing));
}

Result<AcquiredImage> acquire_disk(Workspace& workspace, const Disk& disk) {
  ICECORE_CHECK(disk.on_demand->acquire_all(workspace.progress()));
  ICECORE_ASSIGN(const image::WholeImage whole, disk.on_demand->whole_image(workspace.progress()));
  const image::ImageStatistics statistics = disk.on_demand->statistics();
  return AcquiredImage{disk.snapshot,
                       workspace.folder().path() / "snapshots" / disk.snapshot / "image.raw",
                       whole.sha256,
                       whole.merkle_root,
                       statistics.blocks_fetched,
                       statistics.blocks_taken};
}

}  // namespace

Result<std::vector<AcquiredImage>> acquire(Workspace& workspace, Target& target, const std::vector<Path>& baselines, bool dry_run) {
  if (target.disks.empty()) return fail(Code::kNotFound, "the case holds no snapshot; run icecore collect first");
  for (const Disk& disk : target.disks)
    if (!disk.on_demand) return fail(Code::kInvalidArgument, disk.snapshot + " is a local image already");
  ICECORE_CHECK(use_baselines(workspace, target, baselines));
  std::vector<AcquiredImage> images;
  for (const Disk& disk : target.disks) {
    ICECORE_CHECK(disk.on_demand->list_all());
    workspace.say(plan_line(disk));
    if (dry_run) continue;
    ICECORE_ASSIGN(images.emplace_back(), acquire_disk(workspace, disk));
  }
  if (!dry_run) workspace.say(fetch_summary(target));
  return images;
}

}  // namespace icecore::engine
