// dpkg's database and log.
#include <cstdint>
#include <string_view>

#include "artefact/dpkg_database.h"
#include "artefact/package_log.h"
#include "budget.h"

using namespace icecore;

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)artefact::parse_dpkg_status(text);
  (void)artefact::parse_diversions(text);
  (void)artefact::parse_md5sums(text);
  (void)artefact::parse_dpkg_log_line(text);
}
