// MBR, EBR chains, GPT and the signatures of what is in a volume.
#include "sparse_image.h"
#include "volume/signature.h"
#include "volume/volume.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace icecore;
  const auto source = std::make_shared<fuzz::SparseImage>(data, size);
  Anomalies anomalies;
  const auto table = volume::read_volumes(source, anomalies);
  if (!table) return 0;
  for (const auto& volume : table->volumes) {
    std::byte buffer[512];
    (void)volume.source->read(0, std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(volume.size, sizeof buffer))));
    (void)volume::recognise(*volume.source);
  }
  return 0;
}
