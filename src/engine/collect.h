// `icecore collect`: everything about an instance, a volume or a snapshot that AWS keeps, and crash-consistent snapshots of its volumes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws/operations.h"
#include "engine/instance_record.h"
#include "engine/workspace.h"

namespace icecore::engine {

struct CollectOptions {
  std::string target;  ///< i-…, vol-… or snap-…
  bool snapshot = true;
  std::optional<std::string> only_volume;
};

struct Collected {
  std::optional<InstanceRecord> instance;
  std::vector<SnapshotRecord> snapshots;
};

/// Needs an open case. Resumes: what is in the case is not asked for again.
Result<Collected> collect(Workspace& workspace, const CollectOptions& options);

/// What collect would do: calls, their number and price. Makes reading calls only, writes nothing.
struct CollectPlan {
  std::vector<aws::PlannedCall> calls;
  std::vector<std::string> creates;  ///< in words: "snapshot of vol-… (8 GiB, /dev/xvda)"
  std::vector<std::string> checks;   ///< what EC2's own DryRun said
};
Result<CollectPlan> plan_collect(Workspace& workspace, const CollectOptions& options);

}  // namespace icecore::engine
