// What recovery would still do after the log's last transaction: intents without their "done" that change what a file's content is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fs/xfs/extent_map.h"

namespace icecore::fs::xfs {

/// An unfinished block mapping update (BUI): the kernel finishes it after replay. Extents to free, reverse mappings and reference counts change no
/// file's view and are left alone.
struct PendingMap {
  std::uint64_t inode = 0;
  Mapping mapping;
  bool attribute_fork = false;
  bool unmap = false;
};

/// `mappings` of `inode`'s fork as they are after the pending updates, in the order in which the log holds them.
std::vector<Mapping> apply_pending(std::vector<Mapping> mappings, std::uint64_t inode, bool attribute_fork, std::span<const PendingMap> pending);

}  // namespace icecore::fs::xfs
