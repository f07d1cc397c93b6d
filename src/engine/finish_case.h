// The end of a run on a case: images sealed in the ledger, checkpoint signed, manifest written.
#pragma once

#include <string>

#include "engine/workspace.h"

namespace icecore::engine {

/// Seals every image of the case and ends the run; the targets must be closed or gone. Does nothing without a case. `ok` and `summary` go into the
/// ledger.
Result<void> finish_case(Workspace& workspace, bool ok, const std::string& summary);

}  // namespace icecore::engine
