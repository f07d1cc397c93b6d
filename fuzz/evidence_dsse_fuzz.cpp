// A DSSE envelope and the statements in it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "budget.h"
#include "evidence/checkpoint.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  using namespace icecore::evidence;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto envelope = parse_envelope(text, "input");
  if (!envelope) return;
  if (format_envelope(*envelope) != text) std::abort();  // one envelope has one form
  (void)parse_checkpoint(*envelope, "input");
  (void)parse_manifest_signature(*envelope, "input");
}
