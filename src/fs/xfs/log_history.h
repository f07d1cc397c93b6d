// What the log still holds of inodes that are no longer so: every inode item in any whole record of the ring, replayed or long since on the disk.
#pragma once

#include <cstdint>
#include <map>

#include "core/anomaly.h"
#include "fs/xfs/extent_map.h"
#include "fs/xfs/reader.h"

namespace icecore::fs::xfs {

/// One life of an inode, as the log last had it while it held something. A number that is freed and used again has another generation.
struct InodeLife {
  FileInfo info;
  std::uint64_t lsn = 0;
  std::vector<Mapping> mappings;  ///< empty where the log has no list of extents of it (it was not logged, or was a tree)
};
using InodeLives = std::map<std::pair<std::uint64_t, std::uint32_t>, InodeLife>;  // by inode and generation

/// Reads the whole log (it is one prefetch, and megabytes). Errors are the source's only.
Result<InodeLives> read_inode_history(const Reader& reader, Anomalies& anomalies);

}  // namespace icecore::fs::xfs
