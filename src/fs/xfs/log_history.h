// What the log still holds of inodes that are no longer so: every inode item in any whole record of the ring, replayed or long since on the disk.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/anomaly.h"
#include "fs/xfs/extent_map.h"
#include "fs/xfs/reader.h"

namespace icecore::fs::xfs {

/// One life of an inode, as the log last had it while it held something. A number that is freed and used again has another generation.
struct InodeLife {
  FileInfo info;
  std::uint64_t lsn = 0;
  std::uint64_t blocks = 0;       ///< that it held, attributes' and trees' included
  std::vector<Mapping> mappings;  ///< empty where the log has no list of extents of it (it was not logged, or was a tree)
  Bytes tree;                     ///< the record, where the data fork was the root of a tree
  std::string inside;             ///< a link's target that was inside the inode
};
using InodeLives = std::map<std::pair<std::uint64_t, std::uint32_t>, InodeLife>;  // by inode and generation

/// An entry of a folder that was short enough to be inside its inode.
struct PastEntry {
  std::uint64_t folder = 0;
  std::uint32_t folder_generation = 0;
  std::uint64_t inode = 0;
  std::string name;
  std::uint64_t lsn = 0;  ///< of the newest record that has it
};

struct LogHistory {
  InodeLives lives;
  std::vector<PastEntry> entries;  ///< each (folder, life, inode, name) once
  std::uint64_t transactions = 0;
};

/// Reads the whole log (it is one prefetch, and megabytes). Errors are the source's only. Bounded: half a million lives and as many entries.
Result<LogHistory> read_log_history(const Reader& reader, Anomalies& anomalies);

}  // namespace icecore::fs::xfs
