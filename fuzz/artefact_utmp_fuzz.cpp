// utmp and lastlog records.
#include <cstdint>
#include <string_view>

#include "artefact/lastlog.h"
#include "artefact/utmp.h"
#include "budget.h"

using namespace icecore;

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)artefact::parse_utmp(as_bytes(text));
  (void)artefact::parse_lastlog(as_bytes(text));
}
