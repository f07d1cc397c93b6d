// CloudTrail events.
#include <cstdint>
#include <string_view>

#include "artefact/cloudtrail.h"
#include "budget.h"

using namespace icecore;

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  artefact::EventList events;
  Anomalies anomalies;
  (void)artefact::cloudtrail_events(text, "fuzz", events, anomalies);
}
