// LUKS headers, as far as they go without a key.
#include <cstring>

#include "image/memory_source.h"
#include "volume/luks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace icecore;
  Bytes header(std::max<std::size_t>(std::min<std::size_t>(size, 64 << 10), 32 << 10));
  std::memcpy(header.data(), data, std::min(size, header.size()));
  const auto source = std::make_shared<image::MemorySource>(std::move(header), "fuzz");
  (void)volume::read_luks_header(*source);
  (void)volume::open_luks(source, {});
  return 0;
}
