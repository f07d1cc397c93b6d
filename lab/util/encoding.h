// Text encodings that AWS's protocols use. Own code: the lab is an oracle for icecore's and shares none with it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace icelab {

std::string base64_encode(std::string_view bytes);

// Strict RFC 4648: no line breaks, correct padding; nothing otherwise.
std::optional<std::string> base64_decode(std::string_view text);

std::string hex_encode(std::string_view bytes);

// RFC 3986: everything but A-Z a-z 0-9 - . _ ~ becomes %XX, as SigV4 wants it.
std::string percent_encode(std::string_view text);

// `plus_is_space` for form bodies and query strings. A stray % is nothing.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

using Parameters = std::vector<std::pair<std::string, std::string>>;

// "a=1&b=2" decoded, in order. A malformed escape is nothing.
std::optional<Parameters> parse_form(std::string_view text);

bool valid_utf8(std::string_view text);

std::string lowercase(std::string_view text);
std::string xml_escape(std::string_view text);

// Shell-style match with * and ?; what IAM and EC2 filters both mean by a wildcard.
bool wildcard_match(std::string_view pattern, std::string_view text);

std::vector<std::string> split(std::string_view text, char separator);

}  // namespace icelab
