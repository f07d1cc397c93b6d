// qcow2: header, tables, compressed clusters, read at some places.
#include "container/qcow2_source.h"
#include "disk.h"

// Clusters have up to 2 MiB; a compressed one is read, and unpacked beside that.
const icecore::fuzz::Budget icecore::fuzz::kBudget{.base = 5 << 20};

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  using namespace icecore;
  const auto file = fuzz::disk_of(fuzz::view_of(data, size));
  auto header = container::read_qcow2_header(*file);
  if (!header) return;
  const auto backing = fuzz::empty_disk(5000);
  const auto source = container::Qcow2Source::make(file, std::move(*header), backing);
  if (!source || (*source)->size() == 0) return;
  Bytes buffer(3000);
  const std::uint64_t disk = (*source)->size();
  for (std::uint64_t step = 0; step < 16; ++step) {
    const std::uint64_t offset = disk / 16 * step;
    (void)(*source)->read(offset, std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), disk - offset))));
  }
}
