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

Result<image::WholeImage> fill(Workspace& workspace, const Disk& disk, bool image_hash) {
  if (image_hash) return disk.on_demand->acquire_and_hash(workspace.progress());
  ICECORE_CHECK(disk.on_demand->acquire_all(workspace.progress()));
  ICECORE_ASSIGN(std::string root, disk.on_demand->merkle_root());
  return image::WholeImage{"", std::move(root)};
}

Result<AcquiredImage> acquire_disk(Workspace& workspace, const Disk& disk, bool image_hash) {
  ICECORE_ASSIGN(image::WholeImage whole, fill(workspace, disk, image_hash));
  const image::ImageStatistics statistics = disk.on_demand->statistics();
  AcquiredImage image{disk.snapshot, workspace.folder().path() / "snapshots" / disk.snapshot / "image.raw", std::move(whole.sha256)};
  image.merkle_root = std::move(whole.merkle_root);
  image.fetched = statistics.blocks_fetched;
  image.taken = statistics.blocks_taken;
  return image;
}

}  // namespace

Result<std::vector<AcquiredImage>> acquire(Workspace& workspace, Target& target, const AcquireOptions& options) {
  if (target.disks.empty()) return fail(Code::kNotFound, "the case holds no snapshot; run icecore collect first");
  for (const Disk& disk : target.disks)
    if (!disk.on_demand) return fail(Code::kInvalidArgument, disk.snapshot + " is a local image already");
  ICECORE_CHECK(use_baselines(workspace, target, options.baselines));
  std::vector<AcquiredImage> images;
  for (const Disk& disk : target.disks) {
    ICECORE_CHECK(disk.on_demand->list_all());
    workspace.say(plan_line(disk));
    if (options.dry_run) continue;
    ICECORE_ASSIGN(images.emplace_back(), acquire_disk(workspace, disk, options.image_hash));
  }
  if (!options.dry_run) workspace.say(fetch_summary(target));
  return images;
}

}  // namespace icecore::engine
