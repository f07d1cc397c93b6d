// Whole volumes: labels and metadata areas of LVM2, superblocks of md, LUKS headers, as they lie on a disk.
#include "disk.h"
#include "volume/stack.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  using namespace icecore;
  const std::vector<image::SourcePtr> sources = {fuzz::disk_of_blocks(fuzz::view_of(data, size))};
  if (sources.front()->size() == 0) return;
  Anomalies anomalies;
  const auto pieces = volume::unstack(sources, {}, anomalies);
  if (!pieces) return;
  for (const volume::Piece& piece : *pieces) {
    std::byte buffer[4096];
    (void)piece.source->read(0, std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(piece.source->size(), sizeof buffer))));
  }
}
