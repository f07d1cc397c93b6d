#include "evidence/timestamping.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <array>
#include <ctime>
#include <memory>

#include "core/hash.h"

namespace icecore::evidence {
namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Request = std::unique_ptr<TS_REQ, Deleter<&TS_REQ_free>>;
using Response = std::unique_ptr<TS_RESP, Deleter<&TS_RESP_free>>;
using Imprint = std::unique_ptr<TS_MSG_IMPRINT, Deleter<&TS_MSG_IMPRINT_free>>;
using Algorithm = std::unique_ptr<X509_ALGOR, Deleter<&X509_ALGOR_free>>;
using Integer = std::unique_ptr<ASN1_INTEGER, Deleter<&ASN1_INTEGER_free>>;
using Number = std::unique_ptr<BIGNUM, Deleter<&BN_free>>;
using VerifyContext = std::unique_ptr<TS_VERIFY_CTX, Deleter<&TS_VERIFY_CTX_free>>;
using Store = std::unique_ptr<X509_STORE, Deleter<&X509_STORE_free>>;

std::string openssl_reason() {
  std::string reason;
  while (const unsigned long code = ERR_get_error()) {
    std::array<char, 256> text{};
    ERR_error_string_n(code, text.data(), text.size());
    reason += (reason.empty() ? "" : "; ") + std::string(text.data());
  }
  return reason.empty() ? "no reason given" : reason;
}

const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// A 64-bit nonce, positive.
Integer random_nonce() {
  std::array<unsigned char, 8> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return nullptr;
  bytes[0] &= 0x7F;
  const Number number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number ? Integer(BN_to_ASN1_INTEGER(number.get(), nullptr)) : nullptr;
}

Imprint imprint_of(std::string_view data) {
  Imprint imprint(TS_MSG_IMPRINT_new());
  const Algorithm algorithm(X509_ALGOR_new());
  if (!imprint || !algorithm) return nullptr;
  X509_ALGOR_set_md(algorithm.get(), EVP_sha256());
  Sha256Digest digest = sha256(as_bytes(data));
  if (TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()) != 1 ||
      TS_MSG_IMPRINT_set_msg(imprint.get(), reinterpret_cast<unsigned char*>(digest.data()), static_cast<int>(digest.size())) != 1)
    return nullptr;
  return imprint;
}

Result<Response> parse_reply(std::string_view reply) {
  const unsigned char* at = raw(reply);
  Response response(d2i_TS_RESP(nullptr, &at, static_cast<long>(reply.size())));
  if (!response || at != raw(reply) + reply.size()) {
    ERR_clear_error();
    return fail(Code::kIntegrity, "the time-stamp reply is not valid DER");
  }
  const ASN1_INTEGER* status = TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(response.get()));
  const long code = ASN1_INTEGER_get(status);
  if (code != TS_STATUS_GRANTED && code != TS_STATUS_GRANTED_WITH_MODS)
    return fail(Code::kRemote, fmt::format("the time-stamp authority refused (status {})", code));
  return response;
}

// The authority's certificates as they came in the reply: enough to check the signature, not who signed it.
Store trust_the_reply(TS_RESP* response) {
  Store store(X509_STORE_new());
  PKCS7* token = TS_RESP_get_token(response);
  if (!store || token == nullptr || !PKCS7_type_is_signed(token) || token->d.sign == nullptr) return nullptr;
  const STACK_OF(X509)* certificates = token->d.sign->cert;
  for (int i = 0; i < sk_X509_num(certificates); ++i) X509_STORE_add_cert(store.get(), sk_X509_value(certificates, i));
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

Result<Timestamp> time_of(const TS_TST_INFO* info) {
  std::tm time{};
  if (ASN1_TIME_to_tm(TS_TST_INFO_get_time(info), &time) != 1) return fail(Code::kIntegrity, "the time-stamp has no valid time");
  return from_civil(time.tm_year + 1900, static_cast<unsigned>(time.tm_mon + 1), static_cast<unsigned>(time.tm_mday),
                    static_cast<unsigned>(time.tm_hour), static_cast<unsigned>(time.tm_min), static_cast<unsigned>(time.tm_sec));
}

}  // namespace

Result<std::string> make_timestamp_query(std::string_view data) {
  const Request request(TS_REQ_new());
  const Imprint imprint = imprint_of(data);
  const Integer nonce = random_nonce();
  if (!request || !imprint || !nonce || TS_REQ_set_version(request.get(), 1) != 1 || TS_REQ_set_msg_imprint(request.get(), imprint.get()) != 1 ||
      TS_REQ_set_nonce(request.get(), nonce.get()) != 1 || TS_REQ_set_cert_req(request.get(), 1) != 1)
    return fail(Code::kInternal, "OpenSSL cannot make a time-stamp request: " + openssl_reason());
  unsigned char* der = nullptr;
  const int length = i2d_TS_REQ(request.get(), &der);
  if (length <= 0) return fail(Code::kInternal, "OpenSSL cannot write a time-stamp request: " + openssl_reason());
  std::string query(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return query;
}

Result<TimestampReply> check_timestamp_reply(std::string_view data, std::string_view query, std::string_view reply,
                                             const std::optional<Path>& ca_file) {
  const unsigned char* at = raw(query);
  const Request request(d2i_TS_REQ(nullptr, &at, static_cast<long>(query.size())));
  if (!request || at != raw(query) + query.size()) {
    ERR_clear_error();
    return fail(Code::kIntegrity, "the time-stamp query is not valid DER");
  }
  ICECORE_ASSIGN(const Response response, parse_reply(reply));
  // From the query: imprint and nonce. The data is held against the imprint too, so that a query for other bytes does not pass.
  const VerifyContext context(TS_REQ_to_TS_VERIFY_CTX(request.get(), nullptr));
  Store store = ca_file ? Store(X509_STORE_new()) : trust_the_reply(response.get());
  if (!context || !store) return fail(Code::kIntegrity, "the time-stamp reply holds no signed token");
  if (ca_file && X509_STORE_load_file(store.get(), ca_file->c_str()) != 1)
    return fail(Code::kInvalidArgument, fmt::format("{} holds no certificates in PEM: {}", ca_file->string(), openssl_reason()));
  if (X509_STORE_set_purpose(store.get(), X509_PURPOSE_TIMESTAMP_SIGN) != 1)
    return fail(Code::kInternal, "OpenSSL knows no purpose for time-stamps: " + openssl_reason());
  TS_VERIFY_CTX_set_store(context.get(), store.release());
  TS_VERIFY_CTX_add_flags(context.get(), TS_VFY_SIGNATURE | TS_VFY_VERSION | TS_VFY_DATA);
  TS_VERIFY_CTX_set_data(context.get(), BIO_new_mem_buf(data.data(), static_cast<int>(data.size())));
  if (TS_RESP_verify_response(context.get(), response.get()) != 1) return fail(Code::kIntegrity, "the time-stamp does not hold: " + openssl_reason());
  TS_TST_INFO* info = TS_RESP_get_tst_info(response.get());
  ICECORE_ASSIGN(const Timestamp time, time_of(info));
  const Number serial(ASN1_INTEGER_to_BN(TS_TST_INFO_get_serial(info), nullptr));
  char* hex = serial ? BN_bn2hex(serial.get()) : nullptr;
  std::array<char, 128> policy{};
  OBJ_obj2txt(policy.data(), static_cast<int>(policy.size()), TS_TST_INFO_get_policy_id(info), 1);
  TimestampReply result{time, hex == nullptr ? "" : hex, policy.data()};
  OPENSSL_free(hex);
  return result;
}

}  // namespace icecore::evidence
