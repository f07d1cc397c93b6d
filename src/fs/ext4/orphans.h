// Files that were deleted while open: no name, no links, still allocated. The kernel keeps a chain of them in the superblock, or (6.x) a file.
#pragma once

#include <cstdint>
#include <vector>

#include "core/anomaly.h"
#include "fs/ext4/disk.h"

namespace icecore::fs::ext4 {

/// Inodes on the orphan list or in the orphan file whose link count is 0, ascending. A chain that loops or leads nowhere ends with an anomaly
/// ("ext4.orphan").
Result<std::vector<std::uint64_t>> find_orphans(const Disk& disk, Anomalies& anomalies);

}  // namespace icecore::fs::ext4
