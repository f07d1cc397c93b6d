// Every inode and name of a disk in two passes in disk order: inode tables, then directories. Each pass is one prefetch and then large reads on all
// cores.
#pragma once

#include "fs/ext4/disk.h"
#include "fs/filesystem.h"

namespace icecore::fs::ext4 {

/// `kept_orphans`: inodes without links that count as allocated, ascending. Fails only where the source does (network, integrity, local disk,
/// interruption).
Result<FileTable> sweep_disk(const Disk& disk, const std::vector<std::uint64_t>& kept_orphans, const SweepOptions& options, Anomalies& anomalies,
                             Progress& progress);

}  // namespace icecore::fs::ext4
