#include "aws/signer.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <map>

#include "core/hash.h"
#include "core/text.h"

namespace icecore::aws {
namespace {

/// Proxies may add or change these on the way, so they are not signed (botocore auth.py SIGNED_HEADERS_BLACKLIST).
constexpr std::array<std::string_view, 12> kUnsigned = {"authorization",      "connection",          "expect",  "keep-alive",
                                                        "proxy-authenticate", "proxy-authorization", "te",      "trailer",
                                                        "user-agent",         "transfer-encoding",   "upgrade", "x-amzn-trace-id"};

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Outer white space gone, inner runs one space.
std::string collapse(std::string_view value) {
  if (std::none_of(value.begin(), value.end(), is_space)) return std::string(value);  // session tokens are long and have none
  std::string text;
  for (const char c : value) {
    if (is_space(c)) {
      if (!text.empty() && text.back() != ' ') text += ' ';
    } else {
      text += c;
    }
  }
  if (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

/// RFC 3986 section 5.2.4, and repeated slashes become one. S3 keys may hold both, so S3 paths are left alone.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      kept.push_back(part);
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string text = "/" + fmt::format("{}", fmt::join(kept, "/"));
  if (!kept.empty() && path.ends_with('/')) text += '/';
  return text;
}

std::string canonical_path(std::string_view wire_path, std::string_view service) {
  if (service == "s3") return wire_path.empty() ? "/" : std::string(wire_path);
  return percent_encode(without_dot_segments(wire_path), true);
}

std::string host_of(std::string_view origin) {
  const std::size_t scheme_end = origin.find("://");
  if (scheme_end == std::string_view::npos) return std::string(origin);
  const std::string_view scheme = origin.substr(0, scheme_end);
  std::string_view host = origin.substr(scheme_end + 3);
  // The default port is not part of the Host header that goes out.
  if (scheme == "https" && host.ends_with(":443")) host.remove_suffix(4);
  if (scheme == "http" && host.ends_with(":80")) host.remove_suffix(3);
  return std::string(host);
}

using CanonicalHeaders = std::map<std::string, std::string>;

CanonicalHeaders canonical_headers(const HttpRequest& request) {
  CanonicalHeaders headers;
  if (header(request.headers, "host").empty()) headers["host"] = host_of(request.origin);
  for (const NameValue& one : request.headers) {
    const std::string name = to_lower(one.name);
    if (std::find(kUnsigned.begin(), kUnsigned.end(), name) != kUnsigned.end()) continue;
    const auto [place, is_new] = headers.try_emplace(name, collapse(one.value));
    if (!is_new) place->second += ',' + collapse(one.value);
  }
  return headers;
}

std::string hex(const Sha256Digest& digest) { return to_hex(digest); }

Sha256Digest derive_key(const std::string& secret, std::string_view date, const SigningScope& scope) {
  const Sha256Digest of_date = hmac_sha256(as_bytes("AWS4" + secret), as_bytes(date));
  const Sha256Digest of_region = hmac_sha256(of_date, as_bytes(scope.region));
  const Sha256Digest of_service = hmac_sha256(of_region, as_bytes(scope.service));
  return hmac_sha256(of_service, as_bytes("aws4_request"));
}

/// The key changes once a day; each thread keeps the one that it used last, since a download signs a thousand requests a second.
Sha256Digest signing_key(const Credentials& credentials, std::string_view date, const SigningScope& scope) {
  struct Last {
    std::string secret, date, region, service;
    Sha256Digest key{};
  };
  thread_local Last last;
  if (last.secret != credentials.secret_access_key || last.date != date || last.region != scope.region || last.service != scope.service ||
      last.date.empty()) {
    last = {credentials.secret_access_key, std::string(date), scope.region, scope.service, derive_key(credentials.secret_access_key, date, scope)};
  }
  return last.key;
}

/// The SHA-256 of nothing is known (FIPS 180-4's test vector): every GET needs it.
std::string payload_hash_of(std::string_view body) {
  if (body.empty()) return "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  return hex(sha256(as_bytes(body)));
}

void replace_header(Headers& headers, std::string_view name, std::string value) {
  const std::string wanted = to_lower(name);
  std::erase_if(headers, [&](const NameValue& one) { return to_lower(one.name) == wanted; });
  headers.push_back({std::string(name), std::move(value)});
}

}  // namespace

std::string percent_encode(std::string_view text, bool keep_slash) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c) || (keep_slash && c == '/')) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15U];
    }
  }
  return encoded;
}

std::string canonical_query(const std::vector<NameValue>& query) {
  std::vector<std::pair<std::string, std::string>> encoded;
  encoded.reserve(query.size());
  for (const NameValue& one : query) encoded.emplace_back(percent_encode(one.name), percent_encode(one.value));
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& [name, value] : encoded) text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, value);
  return text;
}

std::string amz_date(const Timestamp& time) {
  const CivilTime civil = to_civil(time.seconds);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second);
}

Signature compute_signature(const HttpRequest& request, const Credentials& credentials, const SigningScope& scope, const Timestamp& time,
                            std::string_view payload_hash) {
  const CanonicalHeaders headers = canonical_headers(request);
  Signature signature;
  std::string header_lines;
  for (const auto& [name, value] : headers) {
    signature.signed_headers += fmt::format("{}{}", signature.signed_headers.empty() ? "" : ";", name);
    header_lines += fmt::format("{}:{}\n", name, value);
  }
  signature.canonical_request = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, canonical_path(request.path, scope.service),
                                            canonical_query(request.query), header_lines, signature.signed_headers, payload_hash);
  const std::string stamp = amz_date(time);
  const std::string date = stamp.substr(0, 8);
  const std::string where = fmt::format("{}/{}/{}/aws4_request", date, scope.region, scope.service);
  signature.string_to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", stamp, where, hex(sha256(as_bytes(signature.canonical_request))));
  signature.hex = hex(hmac_sha256(signing_key(credentials, date, scope), as_bytes(signature.string_to_sign)));
  signature.authorization = fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", credentials.access_key_id, where,
                                        signature.signed_headers, signature.hex);
  return signature;
}

void sign(HttpRequest& request, const Credentials& credentials, const SigningScope& scope, const Timestamp& time) {
  const std::string payload_hash = payload_hash_of(request.body);
  replace_header(request.headers, "X-Amz-Date", amz_date(time));
  replace_header(request.headers, "x-amz-content-sha256", payload_hash);
  std::erase_if(request.headers, [](const NameValue& one) { return to_lower(one.name) == "x-amz-security-token"; });
  if (!credentials.session_token.empty()) request.headers.push_back({"X-Amz-Security-Token", credentials.session_token});
  replace_header(request.headers, "Authorization", compute_signature(request, credentials, scope, time, payload_hash).authorization);
}

}  // namespace icecore::aws
