// IP addresses as logs write them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace icecore::detect {

/// Sixteen bytes; IPv4 is mapped into ::ffff:0:0/96, so that "::ffff:203.0.113.9" and "203.0.113.9" are one address.
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  bool operator==(const Address&) const = default;
  bool is_v4() const;
};

std::optional<Address> parse_address(std::string_view text);
/// Loopback, link-local, RFC 1918, RFC 6598, unique local IPv6: not on the Internet.
bool is_private(const Address& address);
/// The neighbourhood that one attacker is likely to hold: "203.0.113.0/24", or the /64 of IPv6. Empty where `text` is no address.
std::string network_of(std::string_view text);

}  // namespace icecore::detect
