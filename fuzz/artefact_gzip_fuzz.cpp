// gzip streams, bounded.
#include <cstdint>
#include <string_view>

#include "artefact/gzip.h"

using namespace icecore;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)artefact::gunzip(as_bytes(text), 1 << 20);
  return 0;
}
