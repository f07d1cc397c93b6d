// Instance user-data, as EC2 and cloud-init take it: script, cloud-config, MIME multipart, gzip or base64 around any of these.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"

namespace icecore::artefact {

struct UserDataPart {
  enum class Kind { kScript, kCloudConfig, kInclude, kBootHook, kUpstartJob, kPartHandler, kJinja, kPowerShell, kOther };
  Kind kind = Kind::kOther;
  std::string content_type;  ///< of the MIME part, or what its first line says
  std::string file_name;     ///< of the MIME part
  std::string content;       ///< decoded
  std::uint64_t offset = 0;  ///< of the part in the outermost text, where it stands there undecoded; else 0
};

std::string_view kind_name(UserDataPart::Kind kind);

/// The parts, in order; layers (multipart, gzip, base64) to a depth of 8, at most 256 parts and 16 MiB unpacked. Never fails: what is not understood
/// is one part kOther.
std::vector<UserDataPart> unpack_user_data(std::string_view raw);

/// Lines of a part that run something: of a script all but comments; of a cloud-config the items of runcmd and bootcmd.
std::vector<std::string> user_data_commands(const UserDataPart& part);

}  // namespace icecore::artefact
