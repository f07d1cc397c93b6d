// What is wrong with options is said before anything is asked or made.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <array>
#include <charconv>

#include "core/text.h"
#include "workstation/up.h"

namespace icecore::workstation {
namespace {

Failure wrong(std::string message) { return fail(Code::kInvalidArgument, std::move(message)); }

Result<void> check_inbound(const std::string& cidr) {
  const std::size_t slash = cidr.find('/');
  const std::string address = cidr.substr(0, slash);
  std::array<unsigned char, 16> bytes{};
  const bool v4 = ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1;
  const bool v6 = !v4 && ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
  unsigned bits = 0;
  const char* begin = cidr.data() + (slash == std::string::npos ? cidr.size() : slash + 1);
  const auto parsed = std::from_chars(begin, cidr.data() + cidr.size(), bits);
  if ((!v4 && !v6) || parsed.ec != std::errc{} || parsed.ptr != cidr.data() + cidr.size() || bits > (v4 ? 32U : 128U))
    return wrong(fmt::format("--inbound '{}' is no CIDR, such as 203.0.113.7/32 or 2001:db8::7/128", printable(cidr)));
  if (bits == 0)
    return wrong(
        fmt::format("--inbound {} is the whole internet, which icecore never lets in; give your own address, such as 203.0.113.7/32, or leave it "
                    "out and go through Systems Manager",
                    cidr));
  // ::ffff:0:0/96 is all of IPv4 in other words (RFC 4291, 2.5.5.2).
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (v6 && start.starts_with(std::string_view("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12)))
    return wrong(fmt::format("--inbound {} is an IPv4 address in IPv6's words; give it as IPv4, such as 203.0.113.7/32", cidr));
  return {};
}

bool is_sha256(const std::string& text) { return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos; }

}  // namespace

Result<void> check_options(const UpOptions& options) {
  if (options.inbound) ICECORE_CHECK(check_inbound(*options.inbound));
  const bool key = options.key_pair || options.public_key;
  if (options.key_pair && options.public_key) return wrong("--key-pair and --public-key exclude each other");
  if (options.public_key && !options.public_key->starts_with("ssh-"))
    return wrong("--public-key is no OpenSSH public key (a line such as \"ssh-ed25519 AAAA… you@host\"); never give the private one");
  if (!options.systems_manager && !key) return wrong("--no-ssm leaves no way in: give --key-pair or --public-key");
  if (!options.systems_manager && options.profile) return wrong("--instance-profile is what Systems Manager works through; leave --no-ssm out");
  if (options.inbound && !key) return wrong("--inbound opens SSH, which needs --key-pair or --public-key");
  if (options.outbound == Outbound::kNone && options.systems_manager && !options.profile)
    return wrong("--outbound none cuts Systems Manager off as well; give --no-ssm and a key, or --instance-profile of a network with VPC endpoints");
  if (options.tools != "none" && options.tools != "standard" && options.tools != "full")
    return wrong(fmt::format("--tools '{}' is none of none, standard, full", printable(options.tools)));
  if (options.icecore_url.has_value() != options.icecore_sha256.has_value())
    return wrong("--icecore-url needs --icecore-sha256, and the other way round");
  if (options.icecore_url && (!options.icecore_url->starts_with("https://") || options.icecore_url->find_first_of("'\"\\ \n$`") != std::string::npos))
    return wrong("--icecore-url has to be a plain https:// address");
  if (options.icecore_sha256 && !is_sha256(*options.icecore_sha256)) return wrong("--icecore-sha256 is 64 lower-case hexadecimal digits");
  return {};
}

}  // namespace icecore::workstation
