#include "detect/heuristics/addresses.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <algorithm>

namespace icecore::detect {

bool Address::is_v4() const {
  return std::all_of(bytes.begin(), bytes.begin() + 10, [](std::uint8_t b) { return b == 0; }) && bytes[10] == 0xFF && bytes[11] == 0xFF;
}

std::optional<Address> parse_address(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  text = text.substr(0, text.find('%'));  // a zone, as sshd writes for link-local peers
  if (text.empty() || text.size() > 45) return std::nullopt;
  const std::string copy(text);
  Address address;
  if (copy.find(':') == std::string::npos) {
    address.bytes[10] = address.bytes[11] = 0xFF;
    return inet_pton(AF_INET, copy.c_str(), address.bytes.data() + 12) == 1 ? std::optional(address) : std::nullopt;
  }
  return inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1 ? std::optional(address) : std::nullopt;
}

bool is_private(const Address& address) {
  const auto& b = address.bytes;
  if (address.is_v4()) {
    const std::uint8_t first = b[12];
    const std::uint8_t second = b[13];
    return first == 10 || first == 127 || first == 0 || (first == 172 && (second & 0xF0) == 16) || (first == 192 && second == 168) ||
           (first == 169 && second == 254) || (first == 100 && (second & 0xC0) == 64);
  }
  const bool mostly_zero = std::all_of(b.begin(), b.begin() + 15, [](std::uint8_t byte) { return byte == 0; });
  return (mostly_zero && b[15] <= 1) || (b[0] & 0xFE) == 0xFC || (b[0] == 0xFE && (b[1] & 0xC0) == 0x80);
}

std::string network_of(std::string_view text) {
  const auto address = parse_address(text);
  if (!address) return {};
  const auto& b = address->bytes;
  if (address->is_v4()) return fmt::format("{}.{}.{}.0/24", b[12], b[13], b[14]);
  std::string prefix;
  for (std::size_t i = 0; i < 8; i += 2) prefix += fmt::format("{:x}:", b.at(i) << 8 | b.at(i + 1));
  return prefix + ":/64";
}

}  // namespace icecore::detect
