// What lies in partitions: volume groups, arrays and encrypted volumes are put together, however deep they lie in each other and however many disks
// they span, until only what may hold a filesystem is left.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/anomaly.h"
#include "image/block_source.h"
#include "volume/luks.h"

namespace icecore::volume {

struct Piece {
  image::SourcePtr source;
  std::set<std::size_t> partitions;  ///< indices of the partitions given that it lies on; never empty
  std::vector<std::string> names;    ///< what the machine called it: "/dev/mapper/vg-lv", "/dev/md0"; empty for a partition as it is
};

struct StackOptions {
  std::vector<LuksKey> keys;
};

/// `partitions`: the volumes of all disks of the machine. Gives those that are no part of something else, in their order, then what was put together.
/// Swap is left out: it holds no files. Anomalies: those of lvm.h and md.h; "luks.locked" (what it is, how to open it), "volume.depth", "volume.part"
/// (a member that cannot be used). Errors other than kCorrupt, kNotFound, kUnsupported and kPermission are given.
Result<std::vector<Piece>> unstack(const std::vector<image::SourcePtr>& partitions, const StackOptions& options, Anomalies& anomalies);

}  // namespace icecore::volume
