#include "core/safe_json.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstdint>
#include <iterator>

namespace icecore {
namespace {

/// What printable() escapes, above the C0 controls that every JSON writer does: all in the Basic Multilingual Plane, so in at most three bytes.
bool steers(std::uint32_t c) {
  const bool control = c >= 0x7F && c < 0xA0;
  const bool bidirectional = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F || c == 0x061C;
  return control || bidirectional || c == 0x2028 || c == 0x2029 || c == 0xFEFF;
}

}  // namespace

std::string safe_json(std::string json) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(json[i]); };
  if (std::ranges::all_of(json, [](char c) { return static_cast<unsigned char>(c) < 0x7F; })) return json;
  std::string safe;
  safe.reserve(json.size() + 16);
  for (std::size_t at = 0; at < json.size();) {
    const unsigned lead = byte(at);
    const std::size_t length = std::min<std::size_t>(json.size() - at, lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1);
    std::uint32_t code_point = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) code_point = (code_point << 6) | (byte(at + i) & 0x3FU);
    if (steers(code_point)) {
      fmt::format_to(std::back_inserter(safe), "\\u{:04x}", code_point);
    } else {
      safe.append(json, at, length);
    }
    at += length;
  }
  return safe;
}

}  // namespace icecore
