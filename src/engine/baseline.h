// Images that are here already and spare a download: of an earlier snapshot of the volume, or of a sibling instance of the same AMI.
#pragma once

#include <vector>

#include "engine/target.h"

namespace icecore::engine {

/// kInvalidArgument where one of the folders is no case: to be asked before anything is made.
Result<void> check_baselines(const std::vector<Path>& cases);

/// For every snapshot of `target`, looks through the images of `cases` (case folders) and of its own case, asks AWS which blocks are the same, and
/// lets the image take these from there. Each baseline is noted in the ledger; one that is of no use is said and left out. The snapshots are listed
/// whole. kNotFound, kInvalidArgument where a folder is no case.
Result<void> use_baselines(Workspace& workspace, Target& target, const std::vector<Path>& cases);

}  // namespace icecore::engine
