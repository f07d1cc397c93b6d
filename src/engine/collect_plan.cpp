// `--dry-run`: the plan of a collection, held against EC2's own DryRun.
#include <fmt/format.h>
#include <array>

#include "engine/collect.h"

namespace icecore::engine {
namespace {

using aws::operation;

// Calls about one instance, once each, in the order of collect_metadata.cpp; the attribute and lookup counts are of a usual instance.
constexpr std::array<std::pair<std::string_view, std::uint64_t>, 19> kDescribes = {{
    {"DescribeInstances", 1},
    {"GetConsoleOutput", 2},
    {"GetConsoleScreenshot", 1},
    {"DescribeInstanceAttribute", 12},
    {"DescribeVolumes", 1},
    {"DescribeSnapshots", 4},
    {"DescribeNetworkInterfaces", 1},
    {"DescribeAddresses", 1},
    {"DescribeSecurityGroups", 1},
    {"DescribeSecurityGroupRules", 1},
    {"DescribeSubnets", 1},
    {"DescribeVpcs", 1},
    {"DescribeImages", 1},
    {"DescribeKeyPairs", 1},
    {"DescribeIamInstanceProfileAssociations", 1},
    {"DescribeInstanceTypes", 1},
    {"DescribeInstanceStatus", 1},
    {"DescribeInstanceCreditSpecifications", 1},
    {"DescribeTags", 1},
}};

void add_instance_calls(CollectPlan& plan) {
  plan.calls.push_back({&operation("sts", "GetCallerIdentity"), 1, "who we are"});
  for (const auto& [name, count] : kDescribes) plan.calls.push_back({&operation("ec2", name), count, "what AWS knows of the instance"});
  plan.calls.push_back({&operation("cloudtrail", "LookupEvents"), 20, "what was done, by whom (2 a second)"});
  plan.calls.push_back({&operation("cloudtrail", "DescribeTrails"), 1, "is anything logging"});
  plan.calls.push_back({&operation("cloudtrail", "GetTrailStatus"), 1, "is anything logging"});
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
  if (options.only_volume) {
    plan.calls.push_back({&operation("ec2", "CreateSnapshot"), 1, "the evidence"});
    const auto tried = ec2.create_snapshot(*options.only_volume, label, {{"Name", label}}, true);
    plan.checks.push_back(judged(tried.has_value(), "CreateSnapshot", tried ? "" : tried.error().message));
    return {};
  }
  plan.calls.push_back({&operation("ec2", "CreateSnapshots"), 1, "the evidence, all volumes at one moment"});
  const auto tried =
      ec2.create_snapshots({.instance_id = options.target, .description = label, .tags = {{"Name", label}}, .exclude_volumes = {}, .dry_run = true});
  plan.checks.push_back(judged(tried.has_value(), "CreateSnapshots", tried ? "" : tried.error().message));
  return {};
}

}  // namespace

Result<CollectPlan> plan_collect(Workspace& workspace, const CollectOptions& options) {
  ICECORE_ASSIGN(aws::Session* const session, workspace.aws());
  ICECORE_ASSIGN(auto ec2, session->ec2());
  CollectPlan plan;
  if (options.target.starts_with("i-")) {
    add_instance_calls(plan);
    if (options.snapshot) ICECORE_CHECK(plan_snapshots(ec2, options, plan));
    return plan;
  }
  plan.calls.push_back({&operation("ec2", "DescribeSnapshots"), 3, "the snapshot and its state"});
  if (options.target.starts_with("vol-")) {
    plan.calls.push_back({&operation("ec2", "DescribeVolumes"), 1, "the volume"});
    plan.calls.push_back({&operation("ec2", "CreateSnapshot"), 1, "the evidence"});
    plan.creates.push_back("snapshot of " + options.target);
  }
  return plan;
}

}  // namespace icecore::engine
