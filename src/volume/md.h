// Linux md arrays put together from their members: linear, 0, 1, 10. Nothing is resynchronised or written. Sources: Linux drivers/md/{md-linear,
// raid0,raid1,raid10}.c.
#pragma once

#include <string>
#include <vector>

#include "core/anomaly.h"
#include "volume/md_superblock.h"

namespace icecore::volume {

struct MdMember {
  image::SourcePtr source;
  MdSuperblock superblock;
};

struct MdArray {
  MdSuperblock superblock;  ///< of a member that is up to date
  image::SourcePtr source;
  std::vector<std::size_t> members;  ///< indices in the members given that are read
  /// "/dev/md0", "/dev/md/data", "/dev/disk/by-id/md-uuid-…"
  std::vector<std::string> device_names() const;
};

/// All arrays that `members` belong to. Anomalies: "md.degraded" (works, but members are missing, stale or being rebuilt), "md.missing" (members
/// without which it cannot be read), "md.unsupported" (another level, or being reshaped), "md.layout" (a RAID 10 whose layout is not read). A disk
/// whose event count lies behind is not used.
std::vector<MdArray> assemble_arrays(const std::vector<MdMember>& members, Anomalies& anomalies);

}  // namespace icecore::volume
