// CloudTrail events.
#include <cstdint>
#include <string_view>

#include "artefact/cloudtrail.h"

using namespace icecore;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  artefact::EventList events;
  Anomalies anomalies;
  (void)artefact::cloudtrail_events(text, "fuzz", events, anomalies);
  return 0;
}
