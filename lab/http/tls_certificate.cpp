#include "http/tls_certificate.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>

namespace icelab {
namespace {

constexpr long kLifetime = 30L * 24 * 3600;

struct Free {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
  void operator()(std::FILE* p) const { std::fclose(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

void check(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(std::string("OpenSSL cannot make a certificate: ") + what);
}

Owned<EVP_PKEY> new_key() {
  Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  check(key != nullptr, "key");
  return key;
}

void extend(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  check(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, value);
}

Owned<X509> new_certificate(const char* name, EVP_PKEY* subject_key, long serial) {
  Owned<X509> certificate(X509_new());
  check(certificate != nullptr, "memory");
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kLifetime);
  X509_set_pubkey(certificate.get(), subject_key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  return certificate;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  check(X509_sign(certificate, issuer_key, EVP_sha256()) != 0, "signature");
}

Owned<std::FILE> create(const std::string& path, mode_t mode) {
  const int fd = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, mode);
  Owned<std::FILE> file(fd < 0 ? nullptr : ::fdopen(fd, "w"));
  if (!file) throw std::runtime_error(path + ": cannot be written");
  return file;
}

}  // namespace

MadeCertificate make_certificate(const std::string& directory) {
  const auto authority_key = new_key();
  const auto authority = new_certificate("icecore-lab authority", authority_key.get(), 1);
  extend(authority.get(), authority.get(), NID_basic_constraints, "critical,CA:TRUE");
  extend(authority.get(), authority.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(authority.get(), authority.get(), NID_subject_key_identifier, "hash");
  sign(authority.get(), authority.get(), authority_key.get());

  const auto key = new_key();
  const auto leaf = new_certificate("localhost", key.get(), 2);
  extend(leaf.get(), authority.get(), NID_subject_alt_name, "DNS:localhost,DNS:*.localhost,IP:127.0.0.1,IP:::1");
  extend(leaf.get(), authority.get(), NID_ext_key_usage, "serverAuth");
  extend(leaf.get(), authority.get(), NID_authority_key_identifier, "keyid");
  sign(leaf.get(), authority.get(), authority_key.get());

  const MadeCertificate made{directory + "/lab-ca.pem", directory + "/lab-cert.pem", directory + "/lab-key.pem"};
  check(PEM_write_X509(create(made.authority, 0644).get(), authority.get()) == 1, "writing");
  check(PEM_write_X509(create(made.certificate, 0644).get(), leaf.get()) == 1, "writing");
  check(PEM_write_PrivateKey(create(made.key, 0600).get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "writing");
  return made;
}

}  // namespace icelab
