// SHA-256, MD5 (for S3's ETags), HMAC and random bytes, straight from OpenSSL.
#pragma once

#include <string>
#include <string_view>

namespace icelab {

std::string sha256(std::string_view bytes);                            // 32 raw bytes
std::string md5(std::string_view bytes);                               // 16 raw bytes
std::string hmac_sha256(std::string_view key, std::string_view text);  // 32 raw bytes
std::string random_bytes(std::size_t count);
std::string random_hex(std::size_t digits);

// As AWS writes request ids: 8-4-4-4-12 hex digits.
std::string new_request_id();

// Compares in time that does not depend on where the texts differ.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace icelab
