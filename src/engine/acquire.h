// The complete images of a target: plan, baselines, fetching, whole-image hashes.
#pragma once

#include <string>
#include <vector>

#include "engine/target.h"

namespace icecore::engine {

struct AcquiredImage {
  std::string snapshot;
  Path file;
  std::string sha256, merkle_root;  ///< empty after a dry run
  std::uint64_t fetched = 0;        ///< blocks over the wire in this run
  std::uint64_t taken = 0;          ///< blocks from baselines in this run
};

/// Fetches everything that is missing of every snapshot of the target, taking from the images of `baselines` (case folders) what is the same there.
/// Says blocks, size and price of each before it starts. Resumes. With `dry_run` it stops after that. kInvalidArgument for a local image, kNotFound
/// for a case without snapshots.
Result<std::vector<AcquiredImage>> acquire(Workspace& workspace, Target& target, const std::vector<Path>& baselines, bool dry_run);

}  // namespace icecore::engine
