// The volumes of a disk: the whole disk where a filesystem begins at its first sector, or the partitions of an MBR or GPT. Each is a BlockSource of
// its own. Parsing only; what does not parse is an anomaly and the other volumes are still given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/anomaly.h"
#include "core/result.h"
#include "image/block_source.h"

namespace icecore::volume {

enum class Scheme { kWholeDisk, kMbr, kGpt };

/// "whole disk", "MBR", "GPT".
std::string_view scheme_name(Scheme scheme);

struct Volume {
  std::optional<std::uint32_t> number;  ///< as Linux counts: GPT slot + 1, MBR 1–4 primary, 5… logical; absent for the whole disk
  std::string type;                     ///< GPT type GUID in upper case with hyphens, or the MBR type as "0x83"; empty for the whole disk
  std::string type_name;                ///< "Linux filesystem", "EFI System", …; empty where unknown
  std::string uuid;                     ///< PARTUUID as Linux shows it, lower case: GPT partition GUID, or "<disk id>-<number>"
  std::string name;                     ///< GPT partition name, UTF-8 (lone surrogates become U+FFFD)
  std::uint64_t offset = 0;             ///< bytes from the start of the disk
  std::uint64_t size = 0;               ///< bytes that can be read: what the table says, cut at the end of the disk
  image::SourcePtr source;              ///< exactly [offset, offset + size) of the disk
};

struct VolumeTable {
  Scheme scheme = Scheme::kWholeDisk;
  std::uint32_t sector_size = 512;  ///< that the table counts in: 512 or 4096
  std::string disk_id;              ///< GPT disk GUID (lower case) or MBR signature (8 hex digits); empty for a whole disk
  std::vector<Volume> volumes;      ///< ascending by number
};

/// Finds the volumes of `disk`. Reads its first 68 KiB and, where there is a GPT, the backup at its end.
/// Errors: kCorrupt for an empty disk; kNotFound where neither a filesystem nor a partition table is recognised; whatever the source gives.
/// Anomalies: "volume.gpt-primary", "volume.gpt-backup" (one copy is damaged, the other was used), "volume.partition-range" (beyond the end of the
/// disk, or overlapping), "volume.ebr" (a broken or looping chain of logical partitions). Thread-safe. Sources: UEFI 2.10 chapter 5.3; Linux
/// block/partitions/{msdos,efi}.c.
Result<VolumeTable> read_volumes(const image::SourcePtr& disk, Anomalies& anomalies);

}  // namespace icecore::volume
