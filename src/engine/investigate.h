// `icecore investigate`: collect, snapshot, triage, timeline, report; resumable at any moment.
#pragma once

#include "engine/collect.h"
#include "engine/triage.h"

namespace icecore::engine {

struct InvestigateOptions {
  CollectOptions collect;
  TargetOptions view;  ///< keys of encrypted volumes
  TriageOptions triage;
};

struct Investigation {
  Target target;
  Triage triage;
};

/// Needs an open case. Whatever an earlier run of the case did is not done again. The target is still open in the result: close it.
Result<Investigation> investigate(Workspace& workspace, const InvestigateOptions& options);

}  // namespace icecore::engine
