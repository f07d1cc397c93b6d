#include "workstation/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>

#include "engine/command_calls.h"
#include "workstation/prices.h"

namespace icecore::workstation {
namespace {

using engine::calls_of;

void add(Plan& plan, const std::vector<aws::PlannedCall>& calls) { plan.calls.insert(plan.calls.end(), calls.begin(), calls.end()); }

void drop(Plan& plan, std::string_view service) {
  std::erase_if(plan.calls, [&](const aws::PlannedCall& call) { return call.operation->service == service; });
}

template <typename T>
void check(Plan& plan, std::string_view what, const aws::CallResult<T>& asked) {
  if (asked || aws::is_dry_run_success(asked.error())) {
    plan.checks.push_back(fmt::format("{}: EC2 would allow it", what));
  } else {
    plan.checks.push_back(fmt::format("{}: EC2 would refuse it ({})", what, asked.error().message));
  }
}

std::vector<aws::PlannedCall> for_this_way_in(const UpOptions& options) {
  std::vector<aws::PlannedCall> calls = calls_of("workstation up");
  const bool own_profile = options.systems_manager && !options.profile;
  std::erase_if(calls, [&](const aws::PlannedCall& call) {
    const std::string_view service = call.operation->service;
    return (service == "iam" && !own_profile) || (call.operation->name == "DescribeInstanceInformation" && !options.systems_manager) ||
           (call.operation->name == "GetParameter" && options.image.starts_with("ami-"));
  });
  for (const aws::PlannedCall& call : calls_of("workstation up key")) {
    const bool ingress = call.operation->name == "AuthorizeSecurityGroupIngress";
    if (ingress ? options.inbound.has_value() : options.public_key.has_value()) calls.push_back(call);
  }
  return calls;
}

void count_copies(Plan& plan, const std::vector<Copy>& wanted, const std::vector<std::string>& there, const Machine* machine) {
  for (const Copy& copy : wanted) {
    if (std::ranges::find(there, copy.subject()) != there.end()) continue;
    plan.creates.push_back(fmt::format("volume of {} ({} GiB, {}){}", copy.snapshot.snapshot, copy.snapshot.size_gib, view_name(copy.view),
                                       machine != nullptr ? " in " + machine->zone().name() + ", attached to " + machine->id() : ""));
    plan.dollars_per_hour += volume_per_hour(copy.snapshot.size_gib);
  }
}

void check_create_volume(CaseAccount& account, Plan& plan, const std::vector<Copy>& wanted, const Machine& machine) {
  if (wanted.empty()) return;
  const Copy& copy = wanted.front();
  check(plan, "CreateVolume",
        account.ec2().create_volume({.availability_zone = machine.zone().name(),
                                     .snapshot_id = copy.snapshot.snapshot,
                                     .client_token = "icecore-dry-run",
                                     .tags = account.tags(copy.subject()),
                                     .dry_run = true}));
}

}  // namespace

Result<Plan> plan_up(CaseAccount& account, const UpOptions& options) {
  ICECORE_CHECK(check_options(options));
  Plan plan;
  plan.calls = for_this_way_in(options);
  ICECORE_ASSIGN(const auto there, account.instances());
  if (!there.empty()) {
    plan.remarks.push_back(fmt::format("{} is there already ({}): nothing would be made", there.front().id, there.front().state));
    return plan;
  }
  ICECORE_ASSIGN(const LaunchPlan launch, plan_launch(account, options));
  const aws::Subnet& subnet = launch.subnets.front();
  plan.creates.push_back(
      fmt::format("{} from {} ({}) in {}, subnet {}", options.type, launch.image.id, launch.image.name, subnet.availability_zone, subnet.id));
  plan.creates.push_back(fmt::format("security group {} in {}: inbound {}, outbound {}", account.resource_name(), subnet.vpc_id,
                                     options.inbound ? "SSH from " + *options.inbound : "nothing",
                                     options.outbound == Outbound::kAll   ? "everything"
                                     : options.outbound == Outbound::kWeb ? "ports 80 and 443"
                                                                          : "nothing"));
  if (options.systems_manager && !options.profile)
    plan.creates.push_back(fmt::format("role and instance profile {} with AmazonSSMManagedInstanceCore", account.resource_name()));
  if (options.public_key) plan.creates.push_back(fmt::format("key pair {}", account.resource_name()));
  if (const auto price = instance_price(options.type)) {
    plan.dollars_per_hour += *price;
  } else {
    plan.remarks.push_back(fmt::format("the price of {} is not known to icecore", options.type));
  }
  if (options.public_address) plan.dollars_per_hour += kAddressPerHour;
  check(plan, "CreateSecurityGroup",
        account.ec2().create_security_group(account.resource_name(), "icecore workstation of " + account.case_id(), subnet.vpc_id,
                                            account.tags(kGroupSubject), true));
  ICECORE_ASSIGN(const auto groups, account.groups());
  if (groups.empty()) {
    plan.remarks.push_back("RunInstances cannot be asked before its security group is there");
    return plan;
  }
  aws::Parameters parameters =
      launch_parameters(account, options, launch, subnet, groups.front().id, options.profile.value_or(""), options.key_pair.value_or(""));
  parameters.set("ClientToken", "icecore-dry-run");
  for (const char* type : {"instance", "volume", "network-interface"}) parameters.tag_specification(type, account.tags(kInstanceSubject));
  check(plan, "RunInstances", account.ec2().run_instances(parameters, true));
  return plan;
}

Result<Plan> plan_attach(CaseAccount& account, const AttachOptions& options) {
  Plan plan;
  plan.calls = calls_of("workstation attach");
  if (options.print_script || options.remote.ssh) drop(plan, "ssm");
  ICECORE_ASSIGN(const auto snapshots, evidence_snapshots(account, options.snapshots));
  ICECORE_ASSIGN(const Machine machine, running_machine(account));
  const auto wanted = wanted_copies(snapshots, options);
  ICECORE_ASSIGN(const auto volumes, account.volumes());
  std::vector<std::string> there;
  for (const aws::Volume& volume : volumes) there.push_back(aws::tag_value(volume.tags, "icecore:subject"));
  count_copies(plan, wanted, there, &machine);
  check_create_volume(account, plan, wanted, machine);
  return plan;
}

Result<Plan> plan_reset(CaseAccount& account, const ResetOptions& options) {
  Plan plan;
  plan.calls = calls_of("workstation reset");
  if (options.attach.print_script || options.attach.remote.ssh) drop(plan, "ssm");
  ICECORE_ASSIGN(const Machine machine, running_machine(account));
  ICECORE_ASSIGN(auto old, attached_copies(account, machine));
  if (!options.attach.snapshots.empty())
    std::erase_if(old, [&](const AttachedCopy& copy) {
      return std::ranges::find(options.attach.snapshots, copy.copy.snapshot.snapshot) == options.attach.snapshots.end();
    });
  std::vector<Copy> copies;
  for (const AttachedCopy& copy : old) {
    copies.push_back(copy.copy);
    plan.removes.push_back(fmt::format("volume {} ({})", copy.volume, copy.copy.subject()));
    check(plan, "DetachVolume " + copy.volume, account.ec2().detach_volume(copy.volume, false, true));
    check(plan, "DeleteVolume " + copy.volume, account.ec2().delete_volume(copy.volume, true));
  }
  count_copies(plan, copies, {}, &machine);
  check_create_volume(account, plan, copies, machine);
  return plan;
}

Result<Plan> plan_removal(CaseAccount& account) {
  Plan plan;
  plan.calls = calls_of("workstation down");
  ICECORE_ASSIGN(const Removed removed, plan_down(account));
  for (const Item& item : removed.removed) {
    plan.removes.push_back(fmt::format("{} {} ({})", item.kind, item.id, item.words));
    if (item.kind == "instance") check(plan, "TerminateInstances " + item.id, account.ec2().terminate_instances({item.id}, true));
    if (item.kind == "volume") check(plan, "DeleteVolume " + item.id, account.ec2().delete_volume(item.id, true));
    if (item.kind == "security-group") check(plan, "DeleteSecurityGroup " + item.id, account.ec2().delete_security_group(item.id, true));
    if (item.kind == "key-pair") add(plan, calls_of("workstation down key"));
    if (item.kind == "key-pair") check(plan, "DeleteKeyPair " + item.id, account.ec2().delete_key_pair(item.id, true));
  }
  for (const Item& item : removed.left)
    plan.remarks.push_back(
        fmt::format("stays: {} {} ({}), ${:.2f} a month at most", item.kind, item.id, item.words, item.dollars_per_hour.value_or(0) * kHoursAMonth));
  for (const Item& item : removed.not_ours)
    plan.remarks.push_back(fmt::format("left alone: {} {} carries the case's tag, and this case's ledger did not make it", item.kind, item.id));
  return plan;
}

Result<Plan> plan_share(CaseAccount& account, const ShareOptions& options) {
  ICECORE_CHECK(options.check());
  Plan plan;
  if (!options.accounts.empty()) add(plan, calls_of("share"));
  if (!options.lock_mode.empty()) add(plan, calls_of("lock"));
  ICECORE_ASSIGN(const auto records, engine::snapshots_of(account.workspace().folder()));
  for (const engine::SnapshotRecord& record : records) {
    if (!options.accounts.empty()) {
      ICECORE_ASSIGN(const auto copy, plan_shareable(account, record.snapshot, options));
      if (copy) {
        plan.creates.push_back(copy->words);
        plan.creates.push_back(fmt::format("the right to use that copy for {}", fmt::join(options.accounts, ", ")));
        add(plan, calls_of("share copy"));
        continue;
      }
      plan.creates.push_back(fmt::format("the right to use {} for {}", record.snapshot, fmt::join(options.accounts, ", ")));
      check(plan, "ModifySnapshotAttribute " + record.snapshot,
            account.ec2().modify_snapshot_permission(record.snapshot, true, options.accounts, true));
    }
    if (options.lock_mode.empty()) continue;
    plan.creates.push_back(fmt::format("a {} lock of {} days on {}", options.lock_mode, options.lock_days, record.snapshot));
    check(plan, "LockSnapshot " + record.snapshot, account.ec2().lock_snapshot(record.snapshot, options.lock_mode, options.lock_days, true));
  }
  return plan;
}

}  // namespace icecore::workstation
