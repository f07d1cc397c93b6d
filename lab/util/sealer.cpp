#include "util/sealer.h"

#include "util/digest.h"
#include "util/encoding.h"

namespace icelab {
namespace {
constexpr std::size_t kTagSize = 16;
}

Sealer::Sealer() : secret_(random_bytes(32)) {}

std::string Sealer::seal(std::string_view payload) const {
  return base64_encode(hmac_sha256(secret_, payload).substr(0, kTagSize) + std::string(payload));
}

std::optional<std::string> Sealer::open(std::string_view token) const {
  const auto bytes = base64_decode(token);
  if (!bytes || bytes->size() < kTagSize) return std::nullopt;
  const std::string payload = bytes->substr(kTagSize);
  if (!equal_constant_time(bytes->substr(0, kTagSize), hmac_sha256(secret_, payload).substr(0, kTagSize))) return std::nullopt;
  return payload;
}

}  // namespace icelab
