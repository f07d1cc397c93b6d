// The complete images of a target: plan, baselines, fetching, whole-image hashes.
#pragma once

#include <string>
#include <vector>

#include "engine/target.h"

namespace icecore::engine {

struct AcquireOptions {
  std::vector<Path> baselines;  ///< case folders
  bool dry_run = false;
  bool image_hash = true;  ///< also SHA-256 over the whole file; without it, a later run makes it
};

struct AcquiredImage {
  std::string snapshot;
  Path file;
  std::string sha256 = {}, merkle_root = {};  ///< empty after a dry run; sha256 also without image_hash
  std::uint64_t fetched = 0;                  ///< blocks over the wire in this run
  std::uint64_t taken = 0;                    ///< blocks from baselines in this run
};

/// Fetches everything that is missing of every snapshot of the target, taking from the images of the baselines what is the same there.
/// Says blocks, size and price of each before it starts. Resumes. A dry run stops after that. kInvalidArgument for a local image, kNotFound
/// for a case without snapshots.
Result<std::vector<AcquiredImage>> acquire(Workspace& workspace, Target& target, const AcquireOptions& options);

}  // namespace icecore::engine
