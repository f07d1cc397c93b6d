// Where the live part of the log begins and ends.
#pragma once

#include <optional>

#include "fs/xfs/log_device.h"

namespace icecore::fs::xfs {

struct LogBounds {
  std::uint32_t tail = 0, head = 0;  ///< blocks; the head is where the next record would be written
  bool clean = true;                 ///< nothing to replay: unmounted, or never used
};

/// The head by the cycle numbers of its blocks, then the last whole record before it and the tail that it names. Reads a handful of blocks where the
/// log is clean, and up to 2 MiB before the head otherwise. kCorrupt where no record is found.
Result<LogBounds> find_log_bounds(const LogDevice& device);

/// The same for a head that is known to be too late (a record before it is torn).
Result<LogBounds> bounds_before(const LogDevice& device, std::uint32_t head);

}  // namespace icecore::fs::xfs
