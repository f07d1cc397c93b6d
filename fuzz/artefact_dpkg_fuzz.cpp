// dpkg's database and log.
#include <cstdint>
#include <string_view>

#include "artefact/dpkg_database.h"
#include "artefact/package_log.h"

using namespace icecore;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)artefact::parse_dpkg_status(text);
  (void)artefact::parse_diversions(text);
  (void)artefact::parse_md5sums(text);
  (void)artefact::parse_dpkg_log_line(text);
  return 0;
}
