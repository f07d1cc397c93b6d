// Console output and cloud-init lines.
#include <cstdint>
#include <string_view>

#include "artefact/cloud_init.h"
#include "artefact/console_output.h"
#include "budget.h"

using namespace icecore;

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)artefact::parse_console(text);
  const machine::TimeZone zone;
  (void)artefact::parse_cloud_init_line(text, zone);
}
