#include "volume/volume.h"

#include <fmt/format.h>
#include <algorithm>

#include "image/slice_source.h"
#include "volume/partition_table.h"
#include "volume/signature.h"

namespace icecore::volume {
namespace {

VolumeTable whole_disk(const image::SourcePtr& disk) {
  VolumeTable table;
  Volume volume;
  volume.size = disk->size();
  volume.source = disk;
  table.volumes.push_back(std::move(volume));
  return table;
}

// FAT, exFAT and NTFS boot sectors carry 55 AA too, with code where a partition table would be.
bool has_boot_sector_of_its_own(const std::optional<Signature>& found) {
  return found && (found->type == "vfat" || found->type == "ntfs" || found->type == "exfat" || found->type == "refs" || found->type == "bitlocker");
}

class Builder {
 public:
  Builder(const image::SourcePtr& disk, Anomalies& anomalies) : disk_(disk), anomalies_(anomalies) {}

  VolumeTable build(Scheme scheme, PartitionTable partitions) {
    VolumeTable table;
    table.scheme = scheme;
    table.sector_size = partitions.sector_size;
    table.disk_id = std::move(partitions.disk_id);
    for (PartitionEntry& entry : partitions.entries) add(table, std::move(entry));
    report_overlaps(table);
    return table;
  }

 private:
  void report(std::uint32_t number, std::uint64_t offset, std::string message) {
    anomalies_.add("volume.partition-range",
                   Error{Code::kCorrupt, fmt::format("partition {} {}", number, message), Location{disk_->name(), offset}, nullptr});
  }

  void add(VolumeTable& table, PartitionEntry entry) {
    const std::uint64_t disk_sectors = disk_->size() / table.sector_size;
    if (entry.first_sector >= disk_sectors || entry.sectors == 0) {
      report(entry.number, 0,
             fmt::format("({} sectors at sector {}) lies outside the disk of {} sectors and is left out: is the image truncated?", entry.sectors,
                         entry.first_sector, disk_sectors));
      return;
    }
    const std::uint64_t sectors = std::min(entry.sectors, disk_sectors - entry.first_sector);
    Volume volume;
    volume.number = entry.number;
    volume.type = std::move(entry.type);
    volume.type_name = std::move(entry.type_name);
    volume.uuid = std::move(entry.uuid);
    volume.name = std::move(entry.name);
    volume.offset = entry.first_sector * table.sector_size;
    volume.size = sectors * table.sector_size;
    if (sectors < entry.sectors)
      report(entry.number, volume.offset, fmt::format("says {} sectors, the disk holds {} of them: is the image truncated?", entry.sectors, sectors));
    auto slice = image::SliceSource::make(disk_, {volume.offset, volume.size}, fmt::format("{} partition {}", disk_->name(), entry.number));
    if (!slice) return anomalies_.add("volume.partition-range", slice.error());
    volume.source = std::move(*slice);
    table.volumes.push_back(std::move(volume));
  }

  void report_overlaps(const VolumeTable& table) {
    std::vector<const Volume*> order;
    for (const Volume& volume : table.volumes) order.push_back(&volume);
    std::ranges::sort(order, {}, &Volume::offset);
    for (std::size_t i = 1; i < order.size(); ++i)
      if (order[i - 1]->offset + order[i - 1]->size > order[i]->offset)
        report(*order[i]->number, order[i]->offset, fmt::format("overlaps partition {}", *order[i - 1]->number));
  }

  const image::SourcePtr& disk_;
  Anomalies& anomalies_;
};

}  // namespace

std::string_view scheme_name(Scheme scheme) {
  switch (scheme) {
    case Scheme::kWholeDisk: return "whole disk";
    case Scheme::kMbr: return "MBR";
    case Scheme::kGpt: return "GPT";
  }
  return "?";
}

Result<VolumeTable> read_volumes(const image::SourcePtr& disk, Anomalies& anomalies) {
  const Location where{disk->name(), 0};
  if (disk->size() == 0) return fail(Code::kCorrupt, "the image is empty (0 bytes): nothing to read; check that it was copied whole", where);
  if (disk->size() < 512) return fail(Code::kCorrupt, fmt::format("an image of {} bytes is no disk", disk->size()), where);
  ICECORE_ASSIGN(const auto found, recognise(*disk));
  Bytes sector(512);
  ICECORE_CHECK(disk->read(0, sector));
  const BootSector boot = inspect_boot_sector(sector);
  // The kernel's order: a partition table in use beats what is left of an older filesystem (mkfs wipes the boot sector, fdisk wipes no superblock).
  if (boot.marked && !boot.protective && boot.partitioned && !has_boot_sector_of_its_own(found))
    return Builder(disk, anomalies).build(Scheme::kMbr, read_mbr(*disk, sector, anomalies));
  if (found && !boot.protective) return whole_disk(disk);
  ICECORE_ASSIGN(auto gpt, read_gpt(*disk, anomalies));
  if (gpt) {
    if (!boot.protective)
      anomalies.add("volume.gpt-primary", Error{Code::kCorrupt, "the disk has a GPT but no protective MBR before it", where, nullptr});
    return Builder(disk, anomalies).build(Scheme::kGpt, std::move(*gpt));
  }
  if (boot.partitioned) return Builder(disk, anomalies).build(Scheme::kMbr, read_mbr(*disk, sector, anomalies));
  return fail(Code::kNotFound, "no partition table and no known filesystem begins here", where);
}

}  // namespace icecore::volume
