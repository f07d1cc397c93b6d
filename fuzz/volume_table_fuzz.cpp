// MBR, EBR chains, GPT and the signatures of what is in a volume.
#include "disk.h"
#include "volume/signature.h"
#include "volume/volume.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  using namespace icecore;
  const auto source = fuzz::disk_of_blocks(fuzz::view_of(data, size));
  Anomalies anomalies;
  const auto table = volume::read_volumes(source, anomalies);
  if (!table) return;
  for (const auto& volume : table->volumes) {
    std::byte buffer[512];
    (void)volume.source->read(0, std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(volume.size, sizeof buffer))));
    (void)volume::recognise(*volume.source);
  }
}
