// Evidence snapshots: made once whatever happens, labelled, waited for, recorded.
#pragma once

#include <string>
#include <vector>

#include "engine/instance_record.h"
#include "engine/workspace.h"

namespace icecore::engine {

struct SnapshotRequest {
  InstanceRecord instance;
  std::optional<std::string> only_volume;  ///< --snapshot-volume
};

/// One crash-consistent set of snapshots of the instance's EBS volumes, or of the one volume. Made at most once a case: a run that was killed around
/// the call finds what it made by its tags. Writes snapshots/snap-…/snapshot.json. kConflict for an instance whose storage is instance store (cannot
/// be snapshotted).
Result<std::vector<SnapshotRecord>> make_snapshots(Workspace& workspace, aws::Ec2& ec2, const SnapshotRequest& request);

/// A snapshot of one volume that may be attached to nothing.
Result<std::vector<SnapshotRecord>> make_volume_snapshot(Workspace& workspace, aws::Ec2& ec2, const std::string& volume, const std::string& account);

/// An existing snapshot as the evidence of this case. Says what to do where it cannot be read: public or another account's (copy it), archived
/// (restore it), in error.
Result<SnapshotRecord> adopt_snapshot(Workspace& workspace, aws::Ec2& ec2, const std::string& snapshot, const std::string& account);

/// Waits until all are completed, with progress. kRemote where one ends in `error`, with AWS's reason.
Result<void> wait_for_snapshots(Workspace& workspace, aws::Ec2& ec2, const std::vector<SnapshotRecord>& snapshots);

}  // namespace icecore::engine
