// MANIFEST.sha256.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "budget.h"
#include "evidence/manifest.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  using namespace icecore::evidence;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto content = parse_manifest(text);
  if (content && format_manifest(*content) != text) std::abort();
}
