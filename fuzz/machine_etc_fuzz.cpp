// fstab, passwd, shadow, group.
#include <cstdint>
#include <string_view>

#include "budget.h"
#include "machine/accounts.h"
#include "machine/fstab.h"

using namespace icecore;

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const machine::FstabEntry& entry : machine::parse_fstab(text)) (void)machine::match_spec(entry.spec, {});
  (void)machine::parse_passwd(text);
  (void)machine::parse_shadow(text);
  (void)machine::parse_group(text);
}
