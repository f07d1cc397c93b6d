#include "cli/findings_output.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"
#include "report/findings_report.h"

namespace icecore::cli {

Result<void> show_findings(const Globals& globals, engine::Workspace& workspace, const engine::Target& target, const engine::Triage& result) {
  if (globals.json) return print(engine::findings_document(workspace, target, result));
  const auto anomalies = workspace.anomalies().list();
  const report::FindingsReport report{target.name, engine::report_facts(target), result.findings, anomalies, workspace.anomalies().count()};
  return print(report::render(report, globals.style()));
}

std::function<void(const detect::Finding&)> announcer(const Globals& globals) {
  if (globals.json || globals.quiet) return nullptr;
  return [&globals](const detect::Finding& finding) {
    if (finding.severity >= detect::Severity::kMedium)
      say(globals, fmt::format("found: {} ({})", finding.title, report::severity_name(finding.severity)));
  };
}

ExitCode triage_code(const Globals& globals, const engine::Workspace& workspace, const engine::Triage& result) {
  const auto alarming = [](const detect::Finding& finding) { return finding.severity >= detect::Severity::kMedium; };
  if (globals.exit_code && std::ranges::any_of(result.findings, alarming)) return kFindings;
  return code_for(workspace);
}

}  // namespace icecore::cli
