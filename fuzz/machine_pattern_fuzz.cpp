// Shell patterns: the first line is the pattern.
#include <cstdint>
#include <string_view>

#include "budget.h"
#include "machine/pattern.h"

using namespace icecore;

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.substr(0, 256).find('\n');
  if (line != std::string_view::npos) (void)machine::matches_pattern(text.substr(0, line), text.substr(line + 1, 4096));
}
