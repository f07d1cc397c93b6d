// From the disks of a target to the filesystems on them, through partition tables, volume groups, arrays and encryption.
#pragma once

#include "engine/target.h"
#include "volume/luks.h"

namespace icecore::engine {

/// Keys for encrypted volumes: a passphrase file's line break at its end is not part of it; a key file is taken as it is. At most 8 MiB each, as
/// cryptsetup has it.
Result<std::vector<volume::LuksKey>> read_luks_keys(const TargetOptions& options);

struct OpenedVolumes {
  std::vector<machine::Partition> partitions;
  std::vector<std::string> empty;  ///< names of volumes that were never formatted (volume/empty.h): no gap, unless there is nothing else
};

/// Every filesystem on `disks`. What cannot be read is an anomaly of the workspace.
Result<OpenedVolumes> open_volumes(Workspace& workspace, const std::vector<Disk>& disks, const TargetOptions& options);

}  // namespace icecore::engine
