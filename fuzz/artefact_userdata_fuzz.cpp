// User-data in all its layers.
#include <cstdint>
#include <string_view>

#include "artefact/user_data.h"
#include "budget.h"

using namespace icecore;

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const artefact::UserDataPart& part : artefact::unpack_user_data(text)) (void)artefact::user_data_commands(part);
}
