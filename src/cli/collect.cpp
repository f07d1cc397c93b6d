// icecore collect i-… | vol-… | snap-…
#include "engine/collect.h"

#include <fmt/format.h>

#include "cli/collect_flags.h"
#include "cli/plan_output.h"
#include "core/safe_json.h"
#include "core/text.h"
#include "engine/command_calls.h"
#include "workstation/share.h"

namespace icecore::cli {
namespace {

std::string snapshot_line(const engine::SnapshotRecord& snapshot) {
  return fmt::format("{}  {:>5} GiB  {}  {}  {}\n", snapshot.snapshot, snapshot.size_gib, snapshot.volume, printable(snapshot.device),
                     printable(snapshot.description));
}

Result<void> show(const Globals& globals, engine::Workspace& workspace, const engine::Collected& collected) {
  const std::string folder = workspace.folder().path().string();
  if (globals.json) {
    Json snapshots = Json::array();
    for (const auto& snapshot : collected.snapshots) snapshots.push_back(engine::to_json(snapshot));
    Json result = {{"case", folder}, {"snapshots", std::move(snapshots)}, {"anomalies", workspace.anomalies().count()}};
    if (collected.instance) result["instance"] = engine::to_json(*collected.instance);
    return print(safe_json(result.dump(2)) + '\n');
  }
  std::string text;
  for (const auto& snapshot : collected.snapshots) text += snapshot_line(snapshot);
  for (const Anomaly& anomaly : workspace.anomalies().list()) text += fmt::format("not collected: {}\n", printable(to_string(anomaly.error)));
  return print(text + fmt::format("case: {}\n", folder));
}

int collect_one(const Globals& globals, const CollectFlags& flags, const std::string& target) {
  if (flags.dry_run) return show_plan(globals, flags, target);
  return run_in_case_of(globals, target, [&](engine::Workspace& workspace) -> Result<Outcome> {
    ICECORE_ASSIGN(const auto collected, collect_target(workspace, flags, target));
    ICECORE_CHECK(show(globals, workspace, collected));
    return Outcome{code_for(workspace), fmt::format("collected {}", target)};
  });
}

void add_calls(engine::CollectPlan& plan, std::string_view command) {
  const auto& more = engine::calls_of(command);
  plan.calls.insert(plan.calls.end(), more.begin(), more.end());
}

}  // namespace

Result<engine::Collected> collect_target(engine::Workspace& workspace, const CollectFlags& flags, const std::string& target) {
  std::string here = target;
  if (target.starts_with("snap-")) {
    ICECORE_ASSIGN(auto account, workstation::CaseAccount::open(workspace));
    ICECORE_ASSIGN(here, workstation::local_snapshot(account, target, {flags.source_region, flags.kms_key, false}));
  }
  ICECORE_ASSIGN(auto collected, engine::collect(workspace, flags.options(here)));
  if (flags.lock_mode.empty()) return collected;
  ICECORE_ASSIGN(auto account, workstation::CaseAccount::open(workspace));
  std::vector<std::string> snapshots;
  for (const auto& one : collected.snapshots) snapshots.push_back(one.snapshot);
  ICECORE_CHECK(workstation::lock_snapshots(account, snapshots, flags.lock_mode, flags.lock_days));
  return collected;
}

Json plan_json(const engine::CollectPlan& plan) {
  return {{"calls", calls_json(plan.calls)},
          {"creates", plan.creates},
          {"checks", plan.checks},
          {"cost_dollars", aws::cost_dollars(plan.calls)},
          {"iam_actions", aws::iam_actions(plan.calls)}};
}

std::string plan_text(const engine::CollectPlan& plan) {
  std::string text = "Calls (nothing has been changed):\n" + calls_text(plan.calls);
  text += plan.creates.empty() ? "Creates:\n  nothing\n" : lines_text("Creates", plan.creates);
  for (const std::string& check : plan.checks) text += "Asked EC2 with DryRun: " + printable(check) + '\n';
  text += fmt::format("Price of the calls: ${:.4f}; snapshots are billed by what is written in them\n", aws::cost_dollars(plan.calls));
  return text + actions_text(plan.calls);
}

Result<engine::CollectPlan> plan_of(engine::Workspace& workspace, const CollectFlags& flags, const std::string& target) {
  ICECORE_ASSIGN(auto plan, engine::plan_collect(workspace, flags.options(target)));
  if (target.starts_with("snap-")) {
    ICECORE_ASSIGN(auto account, workstation::CaseAccount::open(workspace));
    ICECORE_ASSIGN(const auto copy, workstation::plan_local_snapshot(account, target, {flags.source_region, flags.kms_key, false}));
    if (copy) {
      add_calls(plan, "collect copy");
      if (copy->needs_key) add_calls(plan, "collect copy key");
      plan.creates.push_back(copy->words);
    }
  }
  if (flags.lock_mode.empty()) return plan;
  add_calls(plan, "lock");
  plan.creates.push_back(fmt::format("a {} lock of {} days on each snapshot", flags.lock_mode, flags.lock_days));
  return plan;
}

engine::CollectOptions CollectFlags::options(const std::string& target) const {
  engine::CollectOptions options;
  options.target = target;
  options.snapshot = !no_snapshot;
  if (!only_volume.empty()) options.only_volume = only_volume;
  return options;
}

CLI::Validator aws_id() {
  const auto check = [](const std::string& id) -> std::string {
    for (const std::string_view prefix : {"i-", "vol-", "snap-"}) {
      if (!id.starts_with(prefix)) continue;
      const std::string_view number = std::string_view(id).substr(prefix.size());
      if (!number.empty() && number.find_first_not_of("0123456789abcdef") == std::string_view::npos) return "";
    }
    return fmt::format("'{}' is no id of AWS: i-…, vol-… or snap-… and hexadecimal digits", printable(id));
  };
  return {check, "", "id"};
}

void add_collect_flags(CLI::App& command, CollectFlags& flags) {
  command.add_flag("--no-snapshot", flags.no_snapshot, "metadata, console and CloudTrail only");
  command.add_option("--snapshot-volume", flags.only_volume, "snapshot this volume only (vol-…)")->check(aws_id())->excludes("--no-snapshot");
  command.add_flag("--dry-run", flags.dry_run, "print calls, cost and IAM actions; change nothing");
}

int show_plan(const Globals& globals, const CollectFlags& flags, const std::string& target) {
  return run(globals, {}, false, [&](engine::Workspace& workspace) -> Result<Outcome> {
    ICECORE_ASSIGN(const auto plan, plan_of(workspace, flags, target));
    ICECORE_CHECK(print(globals.json ? safe_json(plan_json(plan).dump(2)) + '\n' : plan_text(plan)));
    return Outcome{};
  });
}

void add_collect(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("collect", "what AWS knows of an instance, and crash-consistent snapshots of its volumes");
  const auto target = std::make_shared<std::string>();
  const auto flags = std::make_shared<CollectFlags>();
  command.add_option("--source-region", flags->source_region, "region of a snapshot that is elsewhere: it is copied here");
  command.add_option("--kms-key", flags->kms_key,
                     "key for the copy of a snapshot from elsewhere (default: one made for the case where it is needed)");
  command.add_option("--lock", flags->lock_mode, "lock the snapshots: governance or compliance")->check(CLI::IsMember({"governance", "compliance"}));
  command.add_option("--lock-days", flags->lock_days, "for so long")->check(CLI::Range(1, 36'500));
  command.get_option("--lock")->needs("--lock-days");
  command.add_option("TARGET", *target, "an instance (i-…), a volume (vol-…) or a snapshot (snap-…)")->required()->check(aws_id());
  add_case_flag(command, globals);
  add_collect_flags(command, *flags);
  add_aws_flags(command, globals);
  command.callback([&globals, &chosen, target, flags] { chosen = [&globals, target, flags] { return collect_one(globals, *flags, *target); }; });
}

}  // namespace icecore::cli
