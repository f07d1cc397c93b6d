// OpenSSH's files.
#include <cstdint>
#include <string_view>

#include "artefact/ssh.h"

using namespace icecore;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)artefact::parse_authorized_keys(text);
  (void)artefact::parse_known_hosts(text);
  (void)artefact::parse_sshd_config(text);
  (void)artefact::parse_private_key(text);
  return 0;
}
