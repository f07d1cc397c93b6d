// `--dry-run`: the plan of a collection, held against EC2's own DryRun.
#include <fmt/format.h>

#include "engine/collect.h"
#include "engine/command_calls.h"

namespace icecore::engine {
namespace {

using aws::operation;

void add_instance_calls(CollectPlan& plan, bool snapshot) {
  for (const aws::PlannedCall& call : calls_of("collect"))
    if (snapshot || !call.operation->mutating) plan.calls.push_back(call);
}

// One volume is taken by another call than all of them.
void only_one_volume(CollectPlan& plan) {
  for (aws::PlannedCall& call : plan.calls)
    if (call.operation == &operation("ec2", "CreateSnapshots")) call = {&operation("ec2", "CreateSnapshot"), 1, "the evidence"};
}

std::string judged(bool allowed, std::string_view action, std::string_view reason) {
  return allowed ? fmt::format("{}: EC2 would allow it", action) : fmt::format("{}: EC2 would refuse it ({})", action, reason);
}

Result<void> plan_snapshots(aws::Ec2& ec2, const CollectOptions& options, CollectPlan& plan) {
  auto found = ec2.describe_instances({.ids = {options.target}});
  if (!found) return Failure(static_cast<const Error&>(found.error()));
  if (found->items.empty()) return fail(Code::kNotFound, options.target + " is not there");
  for (const aws::BlockDevice& device : found->items.front().block_devices) {
    if (options.only_volume && device.volume_id != *options.only_volume) continue;
    plan.creates.push_back(fmt::format("snapshot of {} ({}), tagged with the case and run", device.volume_id, device.device_name));
  }
  const std::string label = "Forensics dry run " + options.target;
  // With the tag that `icecore policy` makes a condition.
  const aws::Tags tags = {{"Name", label}, {"icecore:case", "case-dry-run"}};
  if (options.only_volume) {
    only_one_volume(plan);
    const auto tried = ec2.create_snapshot(*options.only_volume, label, tags, true);
    plan.checks.push_back(judged(tried.has_value(), "CreateSnapshot", tried ? "" : tried.error().message));
    return {};
  }
  const auto tried =
      ec2.create_snapshots({.instance_id = options.target, .description = label, .tags = tags, .exclude_volumes = {}, .dry_run = true});
  plan.checks.push_back(judged(tried.has_value(), "CreateSnapshots", tried ? "" : tried.error().message));
  return {};
}

}  // namespace

Result<CollectPlan> plan_collect(Workspace& workspace, const CollectOptions& options) {
  ICECORE_ASSIGN(aws::Session* const session, workspace.aws());
  ICECORE_ASSIGN(auto ec2, session->ec2());
  CollectPlan plan;
  if (options.target.starts_with("i-")) {
    add_instance_calls(plan, options.snapshot);
    if (options.snapshot) ICECORE_CHECK(plan_snapshots(ec2, options, plan));
    return plan;
  }
  plan.calls = calls_of(options.target.starts_with("vol-") ? "collect volume" : "collect snapshot");
  if (options.target.starts_with("vol-")) plan.creates.push_back("snapshot of " + options.target);
  return plan;
}

}  // namespace icecore::engine
