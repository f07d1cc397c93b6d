// Shell histories.
#include <cstdint>
#include <string_view>

#include "artefact/shell_history.h"
#include "budget.h"

using namespace icecore;

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)artefact::parse_bash_history(text);
  (void)artefact::parse_zsh_history(text);
  (void)artefact::parse_fish_history(text);
}
