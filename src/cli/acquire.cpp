// icecore acquire TARGET…: the complete, verified image.
#include "engine/acquire.h"

#include <fmt/format.h>
#include <algorithm>
#include <filesystem>

#include "cli/collect_flags.h"
#include "cli/context.h"
#include "cli/progress_bar.h"
#include "core/safe_json.h"
#include "core/text.h"
#include "engine/baseline.h"
#include "engine/collect.h"
#include "engine/fetch_cost.h"
#include "workstation/elsewhere.h"

namespace icecore::cli {
namespace {

struct AcquireFlags {
  std::vector<std::string> targets, baselines;
  bool dry_run = false, no_image_hash = false, copy = false;
};

std::string text_of(const std::vector<engine::AcquiredImage>& images) {
  std::string text;
  for (const engine::AcquiredImage& image : images)
    text += fmt::format("{}{}\n  Merkle root {}\n", image.sha256.empty() ? "" : image.sha256 + "  ", image.file.string(), image.merkle_root);
  return text;
}

OrderedJson json_of(const engine::AcquiredImage& image) {
  return {{"snapshot", image.snapshot},       {"image", image.file.string()},    {"sha256", image.sha256},
          {"merkle_root", image.merkle_root}, {"fetched_blocks", image.fetched}, {"baseline_blocks", image.taken}};
}

/// One target after the other; each may take from those before it.
class Acquisition {
 public:
  Acquisition(const Globals& globals, const AcquireFlags& flags) : globals_(globals), flags_(flags) {
    for (const std::string& folder : flags.baselines) baselines_.emplace_back(folder);
  }

  int run() {
    if (const auto good = engine::check_baselines(baselines_); !good) {
      print_error(good.error());
      return kUsage;
    }
    int worst = kDone;
    for (const std::string& target : flags_.targets) {
      const auto work = [&](engine::Workspace& workspace) { return one(target, workspace); };
      // A dry run makes no case: what would be collected has none yet, or is in the one that is there.
      std::error_code ignored;
      const bool without_case = flags_.dry_run && is_collected_first(target) && !std::filesystem::exists(case_of(target) / "case.json", ignored);
      const int code = without_case ? cli::run(globals_, {}, false, work) : run_in_case_of(globals_, target, work);
      if (code != kDone && code != kPartial) return code;
      worst = std::max(worst, code);
    }
    if (!globals_.json) return worst;
    const auto printed = print(safe_json(results_.dump(2)) + '\n');
    return printed ? worst : failed(printed.error());
  }

 private:
  bool is_collected_first(const std::string& target) const {
    const engine::TargetKind kind = engine::kind_of(target);
    return kind == engine::TargetKind::kInstance || kind == engine::TargetKind::kVolume || (kind == engine::TargetKind::kSnapshot && flags_.copy);
  }

  Path case_of(const std::string& target) const {
    return globals_.case_folder.empty() ? engine::default_case_folder(target) : Path(globals_.case_folder);
  }

  static Result<bool> is_held(const std::string& what, engine::Workspace& workspace) {
    if (!workspace.has_case()) return false;
    ICECORE_ASSIGN(const auto records, engine::snapshots_of(workspace.folder()));
    const std::optional<std::string> copy = workstation::copy_in_ledger(workspace.folder().ledger(), what);
    return std::ranges::any_of(records, [&](const engine::SnapshotRecord& one) {
      return one.instance == what || one.volume == what || one.snapshot == what || one.snapshot == copy;
    });
  }

  // Which blocks a snapshot has is not known before there is one, and a dry run makes none.
  Result<Outcome> plan_collection(const std::string& what, engine::Workspace& workspace) {
    ICECORE_ASSIGN(const auto plan, plan_of(workspace, {}, what));
    OrderedJson json = {{"target", what}};
    json["collect"] = plan_json(plan);
    results_.push_back(std::move(json));
    if (!globals_.json) ICECORE_CHECK(print(plan_text(plan)));
    say(globals_, fmt::format("{} has to be collected first, as above; its images can be planned then: icecore collect {}, and icecore acquire {} "
                              "--dry-run",
                              what, what, case_of(what).string()));
    return Outcome{kDone, "dry run"};
  }

  Result<Outcome> one(const std::string& what, engine::Workspace& workspace) {
    const bool to_collect = is_collected_first(what);
    if (to_collect && flags_.dry_run) {
      ICECORE_ASSIGN(const bool held, is_held(what, workspace));
      if (!held) return plan_collection(what, workspace);
    }
    if (to_collect && !flags_.dry_run) ICECORE_CHECK(collect_target(workspace, {}, what));
    engine::TargetOptions options;
    options.disks_only = true;
    ICECORE_ASSIGN(engine::Target target, engine::open_target(workspace, to_collect ? workspace.folder().path().string() : what, options));
    const ShownCost shown([&target] {
      const engine::FetchCost cost = engine::fetch_cost(target);
      return fmt::format("${:.4f}, ${:.4f} to come", cost.so_far, cost.to_come);
    });
    ICECORE_ASSIGN(const auto images, engine::acquire(workspace, target, {baselines_, flags_.dry_run, !flags_.no_image_hash}));
    ICECORE_CHECK(engine::close_target(target));
    if (workspace.has_case()) baselines_.push_back(workspace.folder().path());
    for (const engine::AcquiredImage& image : images) results_.push_back(json_of(image));
    if (!globals_.json) ICECORE_CHECK(print(text_of(images)));
    for (const Anomaly& anomaly : workspace.anomalies().list()) say(globals_, anomaly.kind + ": " + to_string(anomaly.error));
    return Outcome{code_for(workspace), fmt::format("{} {}", flags_.dry_run ? "planned the acquisition of" : "acquired", what)};
  }

  const Globals& globals_;
  const AcquireFlags& flags_;
  std::vector<Path> baselines_;
  OrderedJson results_ = OrderedJson::array();
};

int acquire(const Globals& globals, const AcquireFlags& flags) {
  if (flags.targets.size() > 1 && !globals.case_folder.empty()) {
    print_error({Code::kInvalidArgument, "--case names one case, and there are several targets; each gets a case of its own without it"});
    return kUsage;
  }
  return Acquisition(globals, flags).run();
}

}  // namespace

void add_acquire(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("acquire", "fetch what is still missing: the complete, verified image");
  const auto flags = std::make_shared<AcquireFlags>();
  command
      .add_option(
          "TARGET", flags->targets,
          "a case, a snapshot (snap-…), an instance or a volume (i-…, vol-…: collected first); with several, each takes what is the same from those "
          "before it")
      ->required();
  command.add_option("--baseline", flags->baselines, "another case whose images have blocks that are the same: an earlier one, or a sibling's")
      ->expected(1)
      ->allow_extra_args(false);
  command.add_flag("--dry-run", flags->dry_run, "list the blocks, print calls and cost; fetch nothing");
  command.add_flag("--copy", flags->copy,
                   "copy a snapshot that EBS direct cannot read (public, or another account's) into this account first, as collect does");
  command.add_flag(
      "--no-image-hash", flags->no_image_hash,
      "leave out the SHA-256 of the whole file, for which its holes are hashed too (10 minutes for 1 TiB); the Merkle root is made, and a "
      "later run makes the rest");
  add_case_flag(command, globals);
  add_aws_flags(command, globals);
  command.callback([&globals, &chosen, flags] { chosen = [&globals, flags] { return acquire(globals, *flags); }; });
}

}  // namespace icecore::cli
