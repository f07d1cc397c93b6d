// As much of MIME (RFC 2045, RFC 2046) as user-data uses: multipart messages with base64 or quoted-printable parts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::artefact {

struct MimePart {
  std::string content_type;  ///< lower case, without parameters
  std::string file_name;
  std::string content;  ///< decoded
};

/// The parts of a message, a single one too; nullopt where `text` does not begin with MIME headers. At most 256 parts; not recursive.
std::optional<std::vector<MimePart>> parse_mime(std::string_view text);

}  // namespace icecore::artefact
