// The inode B+trees of all allocation groups: where inodes are, and which are free.
#pragma once

#include <cstdint>
#include <vector>

#include "core/anomaly.h"
#include "fs/xfs/reader.h"

namespace icecore::fs::xfs {

/// 64 inodes with consecutive numbers. Bit i is about inode first + i.
struct InodeChunk {
  std::uint64_t first = 0;
  std::uint64_t free = 0;
  std::uint64_t holes = 0;  ///< not on the disk at all ("sparse inodes")
};

/// Every chunk, ascending, without overlaps. All groups are read side by side: one prefetch for the headers, then one a level of the trees.
/// What does not parse goes to `anomalies` ("xfs.group", "xfs.group-checksum", "xfs.inode-tree", "xfs.inode-tree-checksum"); errors are the source's.
Result<std::vector<InodeChunk>> read_inode_chunks(const Reader& reader, Anomalies& anomalies);

/// A run of inodes that are on the disk one after the other.
struct InodeRun {
  std::uint64_t first = 0;
  std::uint32_t count = 0;
};
/// The chunks' inodes without holes, ascending, joined where they touch, at most `most` inodes each.
std::vector<InodeRun> inode_runs(const Superblock& super, std::span<const InodeChunk> chunks, std::uint32_t most);

}  // namespace icecore::fs::xfs
