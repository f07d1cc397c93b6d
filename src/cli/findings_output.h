// How triage and investigate show what they found.
#pragma once

#include "cli/context.h"
#include "engine/triage.h"

namespace icecore::cli {

/// The report for people, or findings.json with --json, on standard output.
Result<void> show_findings(const Globals& globals, engine::Workspace& workspace, const engine::Target& target, const engine::Triage& result);

/// Announces each finding on standard error while the rest is still being read (not with --json or --quiet).
std::function<void(const detect::Finding&)> announcer(const Globals& globals);

/// The exit code of a triage: partial, or findings with --exit-code.
ExitCode triage_code(const Globals& globals, const engine::Workspace& workspace, const engine::Triage& result);

}  // namespace icecore::cli
