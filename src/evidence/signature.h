// Ed25519 keys (RFC 8032) by OpenSSL: who vouches for a ledger.
#pragma once

#include <memory>
#include <string>

#include "core/file.h"
#include "core/hash.h"

struct evp_pkey_st;

namespace icecore::evidence {

/// Thread-safe.
class PublicKey {
 public:
  static Result<PublicKey> from_pem(std::string_view pem, std::string_view what);

  /// SubjectPublicKeyInfo as PEM, the bytes that `openssl pkey -pubout` writes.
  std::string pem() const;
  /// SHA-256 of the DER SubjectPublicKeyInfo, lower-case hex.
  std::string key_id() const;
  bool verify(ByteView message, ByteView signature) const;

 private:
  friend class SigningKey;
  explicit PublicKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

/// Thread-safe.
class SigningKey {
 public:
  /// $ICECORE_KEY, or ~/.config/icecore/ed25519.pem.
  static Result<Path> default_path();

  /// Reads the PKCS#8 PEM, or makes it (0600) on first use. kPermission where others may read it, kUnsupported where it is no Ed25519 key.
  static Result<SigningKey> load_or_create(const Path& file);

  PublicKey public_key() const { return PublicKey(key_); }
  Result<Bytes> sign(ByteView message) const;

 private:
  explicit SigningKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace icecore::evidence
