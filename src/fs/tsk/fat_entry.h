// Directory entries of FAT and exFAT as they stand on the disk, for what libtsk does not tell: where an inode's entry lies, and its times in full.
// Sources: Microsoft's FAT specification (fatgen103) and exFAT specification 1.00.
#pragma once

#include <optional>
#include <string>

#include "core/timestamp.h"
#include "image/block_source.h"

namespace icecore::fs::tsk {

/// libtsk numbers FAT inodes by the place of their entry: 3 is the first 32 bytes of the data area (FAT12/16: of the root directory).
struct FatGeometry {
  bool exfat = false;
  std::uint64_t data_offset = 0;  ///< byte of inode 3
  std::uint64_t cluster_size = 0;
  std::uint64_t clusters = 0;  ///< exFAT: of the cluster heap, as far as the source reaches
  std::string uuid;            ///< as blkid writes the serial number: "1A2B-3C4D"
  std::string label;           ///< of the boot sector; "NO NAME" counts as none

  std::uint64_t entry_offset(std::uint64_t inode) const { return data_offset + (inode - 3) * 32; }
};

/// From the boot sector; kCorrupt where its numbers cannot be.
Result<FatGeometry> read_fat_geometry(const image::BlockSource& source, bool exfat);

/// The clock that wrote them is local time without a zone (FAT always, exFAT where it says no offset): taken as UTC, as the kernel does unless it is
/// told otherwise. FAT knows no time of change; it is the time of modification, as in the kernel. A field that was never written is absent.
struct FatTimes {
  std::optional<Timestamp> created, modified, accessed;
};

/// The times of the entry of `inode` (3 or more).
Result<FatTimes> read_fat_times(const image::BlockSource& source, const FatGeometry& geometry, std::uint64_t inode);

}  // namespace icecore::fs::tsk
