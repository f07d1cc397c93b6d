// icecore triage TARGET: findings without downloading the disk.
#include "engine/triage.h"

#include "cli/context.h"
#include "cli/findings_output.h"
#include "report/findings_report.h"

namespace icecore::cli {
namespace {

int triage_target(const Globals& globals, const std::string& what) {
  return run_on_target(globals, what, [&](engine::Workspace& workspace) -> Result<Outcome> {
    ICECORE_ASSIGN(engine::Target target, engine::open_target(workspace, what, view_options(globals)));
    ICECORE_ASSIGN(const engine::Triage result, engine::triage(workspace, target, {announcer(globals)}));
    ICECORE_CHECK(engine::store_triage(workspace, target, result));
    ICECORE_CHECK(show_findings(globals, workspace, target, result));
    ICECORE_CHECK(engine::close_target(target));
    return Outcome{triage_code(globals, workspace, result), report::verdict(result.findings)};
  });
}

}  // namespace

void add_triage(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("triage", "findings, reading only the blocks that the questions need");
  const auto target = std::make_shared<std::string>();
  command.add_option("TARGET", *target, "a case, a snapshot (snap-…), an image file or a block device")->required();
  add_case_flag(command, globals);
  add_view_flag(command, globals);
  command.add_flag("--exit-code", globals.exit_code, "exit with 4 where there are findings of medium or more");
  add_aws_flags(command, globals);
  command.callback([&globals, &chosen, target] { chosen = [&globals, target] { return triage_target(globals, *target); }; });
}

}  // namespace icecore::cli
