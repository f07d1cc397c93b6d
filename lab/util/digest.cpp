#include "util/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <stdexcept>

#include "util/encoding.h"

namespace icelab {
namespace {

constexpr std::size_t kSha256Size = 32;
constexpr std::size_t kMd5Size = 16;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string digest(const EVP_MD* algorithm, std::size_t length, std::string_view bytes) {
  std::string out(length, '\0');
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &size, algorithm, nullptr) != 1)
    throw std::runtime_error("OpenSSL cannot compute a digest");
  return out;
}

}  // namespace

std::string sha256(std::string_view bytes) { return digest(EVP_sha256(), kSha256Size, bytes); }

std::string md5(std::string_view bytes) { return digest(EVP_md5(), kMd5Size, bytes); }

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string out(kSha256Size, '\0');
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), reinterpret_cast<unsigned char*>(out.data()),
           &size) == nullptr)
    throw std::runtime_error("OpenSSL cannot compute HMAC-SHA-256");
  return out;
}

std::string random_bytes(std::size_t count) {
  std::string out(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) != 1) throw std::runtime_error("OpenSSL has no random bytes");
  return out;
}

std::string random_hex(std::size_t digits) { return hex_encode(random_bytes((digits + 1) / 2)).substr(0, digits); }

std::string new_request_id() {
  std::string id = random_hex(32);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) id.insert(at, 1, '-');
  return id;
}

bool equal_constant_time(std::string_view a, std::string_view b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

}  // namespace icelab
