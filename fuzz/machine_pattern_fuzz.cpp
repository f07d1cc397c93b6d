// Shell patterns: the first line is the pattern.
#include <cstdint>
#include <string_view>

#include "machine/pattern.h"

using namespace icecore;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.substr(0, 256).find('\n');
  if (line != std::string_view::npos) (void)machine::matches_pattern(text.substr(0, line), text.substr(line + 1, 4096));
  return 0;
}
