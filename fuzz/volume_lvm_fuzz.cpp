// LVM2's text and the volumes made of it, past the checksums that would stop most inputs.
#include "disk.h"
#include "volume/lvm.h"
#include "volume/lvm_text.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  using namespace icecore;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto text = volume::parse_lvm_text(bytes);
  if (!text) return;
  std::vector<volume::PhysicalVolume> disks;
  for (const auto& [name, section] : text->items()) {
    if (!section.is_object()) continue;
    Json group = section;
    group["name"] = name;
    const Json& listed = json_at(group, {"physical_volumes"});
    if (!listed.is_object()) continue;
    for (const Json& disk : listed) {
      if (disks.size() > 4) break;
      disks.push_back({fuzz::empty_disk(1 << 20), volume::lvm_uuid_plain(text_at(disk, "id")), group, std::nullopt});
    }
  }
  Anomalies anomalies;
  const auto volumes = volume::read_groups(disks, anomalies);
  if (!volumes) return;
  for (const auto& one : *volumes) {
    std::byte buffer[4096];
    const auto piece = std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(one.source->size(), sizeof buffer)));
    (void)one.source->read(0, piece);
    (void)one.source->read(one.source->size() - piece.size(), piece);
    (void)one.source->image_offset(one.source->size() / 2);
  }
}
