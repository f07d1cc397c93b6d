// Flags that collect and investigate share, and the plan that both print with --dry-run.
#pragma once

#include <optional>
#include <string>

#include "cli/context.h"
#include "engine/collect.h"

namespace icecore::cli {

struct CollectFlags {
  bool no_snapshot = false;
  bool dry_run = false;
  std::string only_volume;
  std::optional<std::string> source_region, kms_key;  ///< of a snapshot from elsewhere
  std::string lock_mode;
  int lock_days = 0;

  engine::CollectOptions options(const std::string& target) const;
};

/// Lets ids of instances, volumes and snapshots through; a typing error is told before anything is asked or made.
CLI::Validator aws_id();

void add_collect_flags(CLI::App& command, CollectFlags& flags);

/// Collects into the case of `workspace`. A snapshot from elsewhere is copied first; then the copy is what is collected.
Result<engine::Collected> collect_target(engine::Workspace& workspace, const CollectFlags& flags, const std::string& target);

/// What a collection would do, with the copy of a snapshot from elsewhere and the locks. Needs no case.
Result<engine::CollectPlan> plan_of(engine::Workspace& workspace, const CollectFlags& flags, const std::string& target);
Json plan_json(const engine::CollectPlan& plan);
std::string plan_text(const engine::CollectPlan& plan);

/// `--dry-run`: calls, cost, what would be created and the IAM actions. Makes no case and changes nothing.
int show_plan(const Globals& globals, const CollectFlags& flags, const std::string& target);

}  // namespace icecore::cli
