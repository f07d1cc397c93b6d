// What the readers of MBR and GPT hand to read_volumes(): plain entries, not yet held against the disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/anomaly.h"
#include "core/result.h"
#include "image/block_source.h"

namespace icecore::volume {

struct PartitionEntry {
  std::uint32_t number = 0;
  std::string type, type_name, uuid, name;
  std::uint64_t first_sector = 0;
  std::uint64_t sectors = 0;
};

struct PartitionTable {
  std::uint32_t sector_size = 512;
  std::string disk_id;
  std::vector<PartitionEntry> entries;
};

/// The first sector of a disk as a partition table: whether it has the 55 AA mark, sane entries, and GPT's protective one.
struct BootSector {
  bool marked = false;       ///< 55 AA
  bool protective = false;   ///< an entry of type 0xEE
  bool partitioned = false;  ///< marked, every status byte is 0 or 0x80, and at least one entry has type, start and length
};
BootSector inspect_boot_sector(ByteView sector);

/// Primary and logical partitions. `sector` is the disk's first. A chain of logical partitions that breaks or loops ends with an anomaly.
PartitionTable read_mbr(const image::BlockSource& disk, ByteView sector, Anomalies& anomalies);

/// The better of the two copies, each checked by its CRCs; nullopt where neither is there. One bad copy is an anomaly.
Result<std::optional<PartitionTable>> read_gpt(const image::BlockSource& disk, Anomalies& anomalies);

}  // namespace icecore::volume
