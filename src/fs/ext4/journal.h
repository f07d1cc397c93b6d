// Recovery of a jbd2 journal without writing: which blocks the kernel would write back, and where their newest committed version lies.
#pragma once

#include <vector>

#include "core/anomaly.h"
#include "fs/ext4/disk.h"
#include "fs/ext4/fast_commit.h"
#include "fs/ext4/journal_overlay.h"

namespace icecore::fs::ext4 {

struct Recovery {
  std::vector<BlockPatch> patches;  ///< ascending by block
  std::uint32_t transactions = 0;
  std::vector<FastCommitTag> fast_commits;  ///< what is to be applied after the patches
};

/// Walks the log as fs/jbd2/recovery.c does: transactions up to the first that is not committed, revoked blocks left out. All checksums that the
/// journal has are verified: a transaction whose commit does not match ends the log, a block that does not match is left out ("ext4.journal").
/// A journal that cannot be read at all is an anomaly of that kind too, and the recovery is empty. Fails only where the source does.
/// Bounded: at most one record for each block of the journal.
Result<Recovery> recover_journal(const Disk& disk, Anomalies& anomalies);

}  // namespace icecore::fs::ext4
