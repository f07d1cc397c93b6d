// qcow2: header, tables, compressed clusters, read at some places.
#include "container/qcow2_source.h"
#include "image/memory_source.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace icecore;
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto file = std::make_shared<image::MemorySource>(Bytes(bytes.begin(), bytes.end()), "fuzz");
  auto header = container::read_qcow2_header(*file);
  if (!header) return 0;
  const auto backing = std::make_shared<image::MemorySource>(Bytes(5000, std::byte{7}), "backing");
  const auto source = container::Qcow2Source::make(file, std::move(*header), backing);
  if (!source || (*source)->size() == 0) return 0;
  Bytes buffer(3000);
  const std::uint64_t disk = (*source)->size();
  for (std::uint64_t step = 0; step < 16; ++step) {
    const std::uint64_t offset = disk / 16 * step;
    (void)(*source)->read(offset, std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), disk - offset))));
  }
  return 0;
}
