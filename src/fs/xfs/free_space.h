// Which blocks no one uses: the free space trees of all allocation groups.
#pragma once

#include <cstdint>
#include <vector>

#include "core/anomaly.h"
#include "fs/block_set.h"
#include "fs/xfs/reader.h"

namespace icecore::fs::xfs {

class FreeSpace {
 public:
  struct Run {
    std::uint64_t fs_block = 0;
    std::uint32_t count = 0;
  };
  explicit FreeSpace(std::vector<Run> runs);
  /// True where all of [fs_block, fs_block + count) is free.
  bool holds(std::uint64_t fs_block, std::uint32_t count) const;
  /// The parts of it that are in use, appended ascending, in blocks.
  void append_used(std::uint64_t fs_block, std::uint32_t count, std::vector<BlockSpan>& out) const;

 private:
  std::vector<Run> runs_;  // ascending; the tree keeps runs that touch as one
};

/// Reads the trees by block number, one prefetch a level. What does not parse goes to `anomalies` ("xfs.free-space") and counts as used.
Result<FreeSpace> read_free_space(const Reader& reader, Anomalies& anomalies);

}  // namespace icecore::fs::xfs
