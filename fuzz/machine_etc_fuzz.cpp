// fstab, passwd, shadow, group.
#include <cstdint>
#include <string_view>

#include "machine/accounts.h"
#include "machine/fstab.h"

using namespace icecore;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const machine::FstabEntry& entry : machine::parse_fstab(text)) (void)machine::match_spec(entry.spec, {});
  (void)machine::parse_passwd(text);
  (void)machine::parse_shadow(text);
  (void)machine::parse_group(text);
  return 0;
}
