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
    std::uint64_t count = 0;
  };
  /// Runs in any order; those that touch or overlap become one.
  explicit FreeSpace(std::vector<Run> runs);
  /// True where all of [fs_block, fs_block + count) is free.
  bool holds(std::uint64_t fs_block, std::uint32_t count) const;
  /// The parts of it that are in use, appended ascending, in blocks.
  void append_used(std::uint64_t fs_block, std::uint32_t count, std::vector<BlockSpan>& out) const;

 private:
  std::vector<Run> runs_;  // ascending, none touches the next
};

/// Reads the trees by block number, one prefetch a level. What does not parse goes to `anomalies` ("xfs.free-space") and counts as used; a
/// wrong checksum ("xfs.group-checksum", "xfs.free-space-checksum") is said and the rest believed.
Result<FreeSpace> read_free_space(const Reader& reader, Anomalies& anomalies);

}  // namespace icecore::fs::xfs
