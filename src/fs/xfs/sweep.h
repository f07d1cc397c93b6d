// Every inode and name, read in disk order: inode trees, inode chunks, directories' extent trees, directory blocks; one prefetch a round.
#pragma once

#include "core/anomaly.h"
#include "core/progress.h"
#include "fs/filesystem.h"
#include "fs/xfs/reader.h"

namespace icecore::fs::xfs {

/// Works on all cores. Memory: the table itself, one buffer of at most 1 MiB a thread, and 80 bytes a directory block. The filesystem's own inodes
/// (realtime bitmaps, quota, metadata directory) are left out, unless a name leads to them. Errors are the source's only.
Result<FileTable> sweep_inodes(const Reader& reader, const SweepOptions& options, Anomalies& anomalies, Progress& progress);

}  // namespace icecore::fs::xfs
