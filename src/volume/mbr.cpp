// The PC partition table and its chain of logical partitions, as the kernel reads them (block/partitions/msdos.c).
#include <fmt/format.h>
#include <array>
#include <unordered_set>

#include "volume/partition_table.h"
#include "volume/partition_types.h"

namespace icecore::volume {
namespace {

constexpr std::size_t kSector = 512;
constexpr std::size_t kMaximumLogical = 256;  // the kernel stops at 100 sectors of chain

struct Entry {
  std::uint8_t status, type;
  std::uint32_t start, sectors;
  bool used() const { return type != 0 && sectors != 0; }
  bool extended() const { return type == 0x05 || type == 0x0F || type == 0x85; }
};

Entry entry_at(ByteView sector, std::size_t index) {
  const std::size_t at = 446 + 16 * index;
  return {std::to_integer<std::uint8_t>(sector[at]), std::to_integer<std::uint8_t>(sector[at + 4]), load_le<std::uint32_t>(sector, at + 8),
          load_le<std::uint32_t>(sector, at + 12)};
}

bool marked(ByteView sector) { return sector.size() >= kSector && load_le<std::uint16_t>(sector, 510) == 0xAA55; }

PartitionEntry make_entry(const std::string& disk_id, std::uint32_t number, const Entry& entry, std::uint64_t base) {
  return {number,
          fmt::format("0x{:02x}", entry.type),
          std::string(mbr_type_name(entry.type)),
          fmt::format("{}-{:02x}", disk_id, number),
          {},
          base + entry.start,
          entry.sectors};
}

// Each extended boot record names one logical partition (relative to itself) and the next record (relative to the extended partition).
void read_logical(const image::BlockSource& disk, std::uint64_t extended, PartitionTable& table, Anomalies& anomalies) {
  std::unordered_set<std::uint64_t> seen;
  std::uint32_t number = 5;
  for (std::uint64_t here = extended;;) {
    const Location where{disk.name(), here * kSector};
    if (seen.size() >= kMaximumLogical || !seen.insert(here).second)
      return anomalies.add("volume.ebr", Error{Code::kCorrupt, "the chain of logical partitions loops", where});
    std::array<std::byte, kSector> sector{};
    if (const auto read = disk.read(here * kSector, sector); !read) return anomalies.add("volume.ebr", read.error());
    if (!marked(sector)) return anomalies.add("volume.ebr", Error{Code::kCorrupt, "an extended boot record has no 55 AA mark", where});
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      const Entry entry = entry_at(sector, i);
      if (!entry.used()) continue;
      if (entry.extended()) {
        if (next == 0) next = extended + entry.start;
      } else {
        table.entries.push_back(make_entry(table.disk_id, number++, entry, here));
      }
    }
    if (next == 0) return;
    here = next;
  }
}

}  // namespace

BootSector inspect_boot_sector(ByteView sector) {
  BootSector result;
  result.marked = marked(sector);
  if (!result.marked) return result;
  bool sane = true, any = false;
  for (std::size_t i = 0; i < 4; ++i) {
    const Entry entry = entry_at(sector, i);
    if (entry.status != 0 && entry.status != 0x80) sane = false;
    if (entry.type == 0xEE) result.protective = true;
    if (entry.used() && entry.start != 0) any = true;
  }
  result.partitioned = sane && any;
  return result;
}

PartitionTable read_mbr(const image::BlockSource& disk, ByteView sector, Anomalies& anomalies) {
  PartitionTable table;
  table.disk_id = fmt::format("{:08x}", load_le<std::uint32_t>(sector, 440));
  std::optional<std::uint64_t> extended;
  for (std::uint32_t i = 0; i < 4; ++i) {
    const Entry entry = entry_at(sector, i);
    if (!entry.used()) continue;
    if (entry.extended()) {
      if (!extended) extended = entry.start;
    } else {
      table.entries.push_back(make_entry(table.disk_id, i + 1, entry, 0));
    }
  }
  if (extended) read_logical(disk, *extended, table, anomalies);
  return table;
}

}  // namespace icecore::volume
