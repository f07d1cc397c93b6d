// Hashes and their text forms. SHA-256 is OpenSSL's; CRC-32C (Castagnoli) is what ext4, jbd2 and XFS check their metadata with.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace icecore {

using Sha256Digest = std::array<std::byte, 32>;

Sha256Digest sha256(ByteView bytes);

/// SHA-256 of bytes that come in pieces. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(ByteView bytes);
  /// Ends the hash; the object is spent.
  Sha256Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// HMAC-SHA-256 (RFC 2104).
Sha256Digest hmac_sha256(ByteView key, ByteView message);

/// MD5, for the checksums in dpkg's database and the bodyfile only. Lower-case hex.
std::string md5_hex(ByteView bytes);

std::string to_hex(ByteView bytes);
Result<Bytes> from_hex(std::string_view text);
std::string to_base64(ByteView bytes);
/// Strict RFC 4648 base64 with padding; white space is not allowed.
Result<Bytes> from_base64(std::string_view text);

/// CRC-32C as the kernel's crc32c(seed, …): no final inversion, so that calls chain. Uses SSE 4.2 where the processor has it.
std::uint32_t crc32c(std::uint32_t seed, ByteView bytes);

}  // namespace icecore
