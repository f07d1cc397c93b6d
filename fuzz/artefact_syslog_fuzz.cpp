// Syslog lines and what programs say in them.
#include <cstdint>
#include <string_view>

#include "artefact/messages.h"
#include "artefact/syslog.h"
#include "budget.h"

using namespace icecore;

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string_view rest = text;
  machine::TimeZone zone;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(one.size() == rest.size() ? one.size() : one.size() + 1);
    const auto line = artefact::parse_syslog_line(one);
    if (!line) continue;
    artefact::Fields fields;
    (void)artefact::parse_message(line->reporter, line->body, fields);
    artefact::YearGuesser guesser({1'764'000'000, 0}, zone, *line, 1);
    if (!line->time) (void)guesser.time_of(*line);
  }
}
