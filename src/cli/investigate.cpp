// icecore investigate i-…: all of it, resumable.
#include "engine/investigate.h"

#include <fmt/format.h>

#include "cli/collect_flags.h"
#include "cli/context.h"
#include "cli/findings_output.h"
#include "report/findings_report.h"

namespace icecore::cli {
namespace {

Result<Outcome> investigate_one(const Globals& globals, const CollectFlags& flags, const std::string& target, engine::Workspace& workspace) {
  engine::InvestigateOptions options;
  options.collect = flags.options(target);
  options.view = view_options(globals);
  options.triage.announce = announcer(globals);
  ICECORE_ASSIGN(engine::Investigation done, engine::investigate(workspace, options));
  ICECORE_CHECK(show_findings(globals, workspace, done.target, done.triage));
  ICECORE_CHECK(engine::close_target(done.target));
  if (!globals.json) {
    const std::string folder = workspace.folder().path().string();
    ICECORE_CHECK(print(
        fmt::format("\ncase: {}\n      icecore verify {} checks every byte of it; report/findings.txt, analysis/timeline.jsonl\n", folder, folder)));
  }
  return Outcome{triage_code(globals, workspace, done.triage), report::verdict(done.triage.findings)};
}

int investigate_all(const Globals& globals, const CollectFlags& flags, const std::vector<std::string>& targets) {
  if (targets.size() > 1 && !globals.case_folder.empty()) {
    print_error({Code::kInvalidArgument, "--case names the folder of one instance; leave it out to investigate several, each in its own case-<id>",
                 std::nullopt, nullptr});
    return kUsage;
  }
  int worst = kDone;
  for (const std::string& target : targets) {
    const int code = flags.dry_run ? show_plan(globals, flags, target) : run_in_case_of(globals, target, [&](engine::Workspace& workspace) {
      return investigate_one(globals, flags, target, workspace);
    });
    if (code == kInterrupted) return code;
    worst = std::max(worst, code);
  }
  return worst;
}

}  // namespace

void add_investigate(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("investigate", "collect, snapshot, triage and report an instance, in one go; run again to resume");
  const auto targets = std::make_shared<std::vector<std::string>>();
  const auto flags = std::make_shared<CollectFlags>();
  command.add_option("INSTANCE", *targets, "instances (i-…); also a volume (vol-…) or a snapshot (snap-…)")->required()->check(aws_id());
  add_case_flag(command, globals);
  add_collect_flags(command, *flags);
  add_luks_flags(command, globals);
  command.add_flag("--exit-code", globals.exit_code, "exit with 4 where there are findings of medium or more");
  add_aws_flags(command, globals);
  command.callback(
      [&globals, &chosen, targets, flags] { chosen = [&globals, targets, flags] { return investigate_all(globals, *flags, *targets); }; });
}

}  // namespace icecore::cli
