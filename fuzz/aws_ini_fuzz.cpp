// ~/.aws/config and ~/.aws/credentials.
#include <cstddef>
#include <cstdint>

#include "aws/profile_files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)icecore::aws::parse_ini({reinterpret_cast<const char*>(data), size}, "fuzz");
  return 0;
}
