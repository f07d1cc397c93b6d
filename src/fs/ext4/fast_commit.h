// Fast commits: small logical records behind the journal's log. Documentation/filesystems/ext4/journal.rst, fs/ext4/fast_commit.h.
#pragma once

#include "core/anomaly.h"
#include "fs/ext4/journal_log.h"

namespace icecore::fs::ext4 {

/// Looks for fast commits that belong behind the last full transaction (`next_sequence` is the number that the next one would have) and says what
/// they hold
/// ("ext4.fast-commit"), since they are not replayed.
Result<void> report_fast_commits(const Disk& disk, JournalLog& log, std::uint32_t next_sequence, Anomalies& anomalies);

}  // namespace icecore::fs::ext4
