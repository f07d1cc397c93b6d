// utmp and lastlog records.
#include <cstdint>
#include <string_view>

#include "artefact/lastlog.h"
#include "artefact/utmp.h"

using namespace icecore;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)artefact::parse_utmp(as_bytes(text));
  (void)artefact::parse_lastlog(as_bytes(text));
  return 0;
}
