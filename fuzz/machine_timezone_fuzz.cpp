// TZif files, and POSIX rules.
#include <cstdint>
#include <string_view>

#include "budget.h"
#include "machine/time_zone.h"

using namespace icecore;

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto zone = machine::TimeZone::parse(as_bytes(text))) {
    for (const std::int64_t at : {-5'000'000'000L, 0L, 1'764'000'000L, 9'000'000'000'000L}) (void)zone->to_utc(at);
  }
  if (auto rule = machine::PosixRule::parse(text)) (void)rule->offset_at(1'764'000'000);
}
