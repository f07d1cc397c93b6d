// Recovery in memory: what the kernel would write to the disk when it mounts it, as an overlay.
#pragma once

#include <vector>

#include "core/anomaly.h"
#include "fs/xfs/log_intents.h"
#include "fs/xfs/reader.h"

namespace icecore::fs::xfs {

struct Recovered {
  image::SourcePtr source;  ///< the base itself where there was nothing to do
  bool changed = false;
  std::vector<PendingMap> pending;
};

/// Replays the log of `reader`. Errors are the source's only; what the log itself has wrong goes to `anomalies` as "xfs.log" (and "xfs.log-torn" for
/// a last record that was being written), and what can be replayed is. Memory: at most 256 MiB of changed sectors and 128 MiB of open transactions.
Result<Recovered> replay_log(const Reader& reader, Anomalies& anomalies);

}  // namespace icecore::fs::xfs
