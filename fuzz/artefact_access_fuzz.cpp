// Access log lines.
#include <cstdint>
#include <string_view>

#include "artefact/access_log.h"

using namespace icecore;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)artefact::parse_access_line(text);
  return 0;
}
