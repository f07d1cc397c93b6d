// User-data in all its layers.
#include <cstdint>
#include <string_view>

#include "artefact/user_data.h"

using namespace icecore;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const artefact::UserDataPart& part : artefact::unpack_user_data(text)) (void)artefact::user_data_commands(part);
  return 0;
}
