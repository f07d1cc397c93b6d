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

/// The index of the partition that `spec` names. /dev names are compared by disk and partition number: /dev/sdf, /dev/xvdf and the mapping's name are
/// one disk; /dev/nvme1n1 is the second disk of the mapping by order (Nitro), so it is used only where nothing better matches.
std::optional<std::size_t> match_spec(std::string_view spec, const std::vector<Partition>& partitions);

}  // namespace icecore::machine
