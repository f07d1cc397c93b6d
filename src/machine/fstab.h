// fstab(5), and which opened filesystem each of its lines means.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "machine/partition.h"

namespace icecore::machine {

struct FstabEntry {
  std::uint64_t line = 0;
  std::string spec;  ///< "UUID=…", "LABEL=…", "PARTUUID=…", "PARTLABEL=…", "/dev/…"
  std::string path;  ///< mount point; \040 and the like decoded
  std::string type;
  std::string options;
};

std::vector<FstabEntry> parse_fstab(std::string_view text);

/// The index of the partition that `spec` names. Logical volumes, arrays and encrypted volumes are found by any name in Partition::names. /dev names
/// are compared by disk and partition number: /dev/sdf, /dev/xvdf and the mapping's name are one disk; /dev/nvme1n1 is the second disk of the mapping
/// by order (Nitro), so it is used only where nothing better matches.
std::optional<std::size_t> match_spec(std::string_view spec, const std::vector<Partition>& partitions);

/// The name by which the partitions know an encrypted volume that crypttab(5) calls `spec` ("/dev/mapper/data"): "/dev/mapper/luks-<uuid>"; empty
/// where crypttab says nothing of it, or not by UUID.
std::string crypttab_device(std::string_view crypttab, std::string_view spec);

}  // namespace icecore::machine
