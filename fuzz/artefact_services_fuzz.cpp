// crontabs, unit files, sudoers.
#include <cstdint>
#include <string_view>

#include "artefact/cron.h"
#include "artefact/sudoers.h"
#include "artefact/systemd_unit.h"
#include "budget.h"

using namespace icecore;

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)artefact::parse_crontab(text, artefact::CronTable::kSystem);
  (void)artefact::parse_crontab(text, artefact::CronTable::kUser);
  (void)artefact::parse_unit(text);
  (void)artefact::parse_sudoers(text);
}
