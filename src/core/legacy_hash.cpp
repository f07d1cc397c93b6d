#include "core/legacy_hash.h"

#include <openssl/evp.h>
#include <new>

namespace icecore {

struct LegacyHash::State {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

LegacyHash::LegacyHash(Kind kind) : state_(std::make_unique<State>()) {
  const EVP_MD* const algorithm = kind == Kind::kMd5 ? EVP_md5() : EVP_sha1();
  if (!state_->context || EVP_DigestInit_ex2(state_->context.get(), algorithm, nullptr) != 1) throw std::bad_alloc();
}
LegacyHash::~LegacyHash() = default;

void LegacyHash::update(ByteView bytes) { EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()); }

Bytes LegacyHash::finish() {
  Bytes digest(EVP_MAX_MD_SIZE);
  unsigned length = 0;
  EVP_DigestFinal_ex(state_->context.get(), reinterpret_cast<unsigned char*>(digest.data()), &length);
  digest.resize(length);
  return digest;
}

}  // namespace icecore
