#include "engine/collect.h"

#include <fmt/format.h>

#include "engine/collect_metadata.h"
#include "engine/collect_trail.h"
#include "engine/snapshots.h"

namespace icecore::engine {
namespace {

Result<Collected> collect_instance(Workspace& workspace, aws::Ec2& ec2, const CollectOptions& options, const std::string& account) {
  workspace.say(fmt::format("collecting what AWS knows of {} in {}", options.target, ec2.region()));
  Collected collected;
  ICECORE_ASSIGN(collected.instance, collect_metadata(workspace, ec2, options.target, account));
  ICECORE_CHECK(workspace.folder().bind({account, ec2.region(), {options.target}}));
  if (collected.instance->instance_store)
    workspace.anomalies().add(
        "collect.instance-store",
        fail(Code::kUnsupported, fmt::format("{} ({}) has instance store disks: they cannot be snapshotted, are lost when it stops, and are not in "
                                             "this evidence; copy them from inside while it runs",
                                             options.target, collected.instance->type))
            .value());
  if (options.snapshot) {
    workspace.say("taking one crash-consistent set of snapshots");
    ICECORE_ASSIGN(collected.snapshots, make_snapshots(workspace, ec2, {*collected.instance, options.only_volume}));
  }
  // The snapshots fill while CloudTrail, which allows two calls a second, is asked.
  ICECORE_CHECK(collect_trail(workspace, *collected.instance));
  ICECORE_CHECK(collect_trails_status(workspace));
  ICECORE_CHECK(wait_for_snapshots(workspace, ec2, collected.snapshots));
  return collected;
}

}  // namespace

Result<Collected> collect(Workspace& workspace, const CollectOptions& options) {
  ICECORE_ASSIGN(const auto identity, workspace.identity());
  ICECORE_ASSIGN(aws::Session* const session, workspace.aws());
  ICECORE_ASSIGN(auto ec2, session->ec2());
  Collected collected;
  if (options.target.starts_with("i-")) return collect_instance(workspace, ec2, options, identity.account);
  if (options.target.starts_with("vol-")) {
    ICECORE_ASSIGN(collected.snapshots, make_volume_snapshot(workspace, ec2, options.target, identity.account));
  } else if (options.target.starts_with("snap-")) {
    ICECORE_ASSIGN(collected.snapshots.emplace_back(), adopt_snapshot(workspace, ec2, options.target, identity.account));
  } else {
    return fail(Code::kInvalidArgument, fmt::format("'{}' is none of i-…, vol-…, snap-…", options.target));
  }
  ICECORE_CHECK(wait_for_snapshots(workspace, ec2, collected.snapshots));
  return collected;
}

}  // namespace icecore::engine
