// LVM2 volume groups put together from their physical volumes: linear, striped, raid0, raid1/mirror (one image of them) and thin logical volumes.
// Nothing is activated; snapshots of the copy-on-write kind, raid4/5/6/10, caches and VDO are recognised and named. Source: lvm2 lib/format_text,
// libdm.
#pragma once

#include <string>
#include <vector>

#include "core/anomaly.h"
#include "volume/lvm_disk.h"

namespace icecore::volume {

struct LogicalVolume {
  std::string group, name;
  std::string uuid;  ///< "LVM-" and both uuids, as device-mapper has it
  image::SourcePtr source;
  std::vector<std::size_t> members;  ///< indices in the physical volumes given, ascending
};

/// "vg-lv" as under /dev/mapper: hyphens within a name are doubled.
std::string mapper_name(std::string_view group, std::string_view volume);

/// The logical volumes that a machine shows of all groups that `disks` belong to. Anomalies: "lvm.metadata" (damaged; another copy was used, or none
/// is left), "lvm.missing" (names the uuid of a physical volume that was not given; volumes on it are left out or readable in part), "lvm.segment"
/// (a kind that is not read), "lvm.volume" (one that cannot be put together), "lvm.duplicate" (two disks of one uuid). Errors of the sources that are
/// no kCorrupt are given.
Result<std::vector<LogicalVolume>> read_groups(const std::vector<PhysicalVolume>& disks, Anomalies& anomalies);

}  // namespace icecore::volume
