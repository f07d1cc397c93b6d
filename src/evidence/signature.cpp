#include "evidence/signature.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>

namespace icecore::evidence {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

std::shared_ptr<EVP_PKEY> shared(EVP_PKEY* key) { return {key, &EVP_PKEY_free}; }

Bio reader(std::string_view text) { return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free}; }

std::string content(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

// A key that asks for a passphrase is refused instead of prompting on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

Result<std::shared_ptr<EVP_PKEY>> checked(EVP_PKEY* raw, std::string_view what) {
  ERR_clear_error();
  if (raw == nullptr) return fail(Code::kUnsupported, fmt::format("{} is no unencrypted PEM key", what));
  auto key = shared(raw);
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519)
    return fail(Code::kUnsupported, fmt::format("{} is no Ed25519 key; `openssl genpkey -algorithm ed25519` makes one", what));
  return key;
}

const unsigned char* raw(ByteView bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

Result<void> make_key(const Path& file) {
  const auto key = shared(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
  if (!key || !bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return fail(Code::kInternal, "OpenSSL cannot make an Ed25519 key");
  ICECORE_CHECK(make_private_directory(file.parent_path()));
  return write_file_atomically(file, content(bio.get()));
}

}  // namespace

Result<PublicKey> PublicKey::from_pem(std::string_view pem, std::string_view what) {
  const Bio bio = reader(pem);
  ICECORE_ASSIGN(auto key, checked(PEM_read_bio_PUBKEY(bio.get(), nullptr, &no_passphrase, nullptr), what));
  return PublicKey(std::move(key));
}

std::string PublicKey::pem() const {
  const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_PUBKEY(bio.get(), key_.get());
  return content(bio.get());
}

std::string PublicKey::key_id() const {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key_.get(), &der);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(der, [](unsigned char* bytes) { OPENSSL_free(bytes); });
  if (length <= 0) return {};
  return to_hex(sha256(ByteView(reinterpret_cast<const std::byte*>(der), static_cast<std::size_t>(length))));
}

bool PublicKey::verify(ByteView message, ByteView signature) const {
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const bool good = context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
                    EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(message), message.size()) == 1;
  ERR_clear_error();
  return good;
}

Result<Path> SigningKey::default_path() {
  if (const char* given = std::getenv("ICECORE_KEY"); given != nullptr && *given != '\0') return Path(given);
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return Path(home) / ".config/icecore/ed25519.pem";
  if (const passwd* user = ::getpwuid(::geteuid()); user != nullptr) return Path(user->pw_dir) / ".config/icecore/ed25519.pem";
  return fail(Code::kInvalidArgument, "there is no home directory to keep the signing key in; set ICECORE_KEY to its path");
}

Result<SigningKey> SigningKey::load_or_create(const Path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) ICECORE_CHECK(make_key(file));
  ICECORE_ASSIGN(const FileDescriptor descriptor, open_file(file, O_RDONLY));
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) return errno_failure(errno, "look at", file);
  if ((status.st_mode & 077) != 0)
    return fail(Code::kPermission, fmt::format("the signing key {} may be read by others; `chmod 600 {}`", file.string(), file.string()));
  ICECORE_ASSIGN(const std::string pem, read_text_file(file, 1 << 16));
  const Bio bio = reader(pem);
  ICECORE_ASSIGN(auto key, checked(PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, nullptr), file.string()));
  return SigningKey(std::move(key));
}

Result<Bytes> SigningKey::sign(ByteView message) const {
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  Bytes signature(64);
  std::size_t length = signature.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length, raw(message), message.size()) != 1)
    return fail(Code::kInternal, "OpenSSL cannot sign");
  signature.resize(length);
  return signature;
}

}  // namespace icecore::evidence
