// `icecore triage`: from an opened target to findings, reading only what the questions need.
#pragma once

#include <functional>
#include <vector>

#include "detect/finding.h"
#include "detect/scene.h"
#include "engine/target.h"

namespace icecore::engine {

struct TriageOptions {
  std::function<void(const detect::Finding&)> announce;  ///< each finding as it is made
};

struct Triage {
  std::vector<detect::Finding> findings;  ///< sorted; file locations name their blocks and hashes
  bool complete = true;                   ///< no anomaly so far in this workspace
  detect::Scene scene;                    ///< what was read: sweeps and events, for a timeline
};

Result<Triage> triage(Workspace& workspace, const Target& target, const TriageOptions& options);

/// Writes analysis/findings.json, analysis/anomalies.jsonl and report/findings.txt into the case.
Result<void> store_triage(Workspace& workspace, const Target& target, const Triage& result);

/// findings.json as text: for the case and for --json.
std::string findings_document(Workspace& workspace, const Target& target, const Triage& result);

}  // namespace icecore::engine
