// Whole volumes: labels and metadata areas of LVM2, superblocks of md, LUKS headers, as they lie on a disk.
#include "sparse_image.h"
#include "volume/stack.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace icecore;
  const std::vector<image::SourcePtr> sources = {std::make_shared<fuzz::SparseImage>(data, size)};
  if (sources.front()->size() == 0) return 0;
  Anomalies anomalies;
  const auto pieces = volume::unstack(sources, {}, anomalies);
  if (!pieces) return 0;
  for (const volume::Piece& piece : *pieces) {
    std::byte buffer[4096];
    (void)piece.source->read(0, std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(piece.source->size(), sizeof buffer))));
  }
  return 0;
}
