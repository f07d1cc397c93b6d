#include "auth/sigv4.h"

#include <algorithm>

#include "util/digest.h"
#include "util/encoding.h"

namespace icelab {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// RFC 3986 5.2.4 as AWS reads it: empty segments go, "." and ".." are resolved, a trailing slash stays.
std::string normalized_path(std::string_view path) {
  std::vector<std::string> kept;
  for (std::string& segment : split(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      kept.push_back(std::move(segment));
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string out;
  for (const std::string& segment : kept) out += "/" + percent_encode(segment);
  const bool slash = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  return out.empty() || slash ? out + "/" : out;
}

std::optional<std::string> canonical_query(std::string_view query) {
  auto parameters = parse_form(query);
  if (!parameters) return std::nullopt;
  for (auto& [name, value] : *parameters) {
    name = percent_encode(name);
    value = percent_encode(value);
  }
  std::sort(parameters->begin(), parameters->end());
  std::string out;
  for (const auto& [name, value] : *parameters) out += (out.empty() ? "" : "&") + name + "=" + value;
  return out;
}

// Outer blanks off, inner runs of blanks made one.
std::string trimmed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string canonical_headers(const Request& request, const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    std::string joined;
    bool first = true;
    for (const auto& [key, value] : request.headers) {
      if (lowercase(key) != name) continue;
      if (!first) joined += ',';
      first = false;
      joined += trimmed(value);
    }
    out += name + ":" + joined + "\n";
  }
  return out;
}

}  // namespace

std::optional<Authorization> parse_authorization(std::string_view header) {
  if (!header.starts_with(kAlgorithm)) return std::nullopt;
  Authorization out;
  for (const std::string& part : split(header.substr(kAlgorithm.size()), ',')) {
    const std::string field = trimmed(part);
    const std::size_t equals = field.find('=');
    if (equals == std::string::npos) return std::nullopt;
    const std::string name = field.substr(0, equals);
    const std::string value = field.substr(equals + 1);
    if (name == "Credential") {
      const auto pieces = split(value, '/');
      if (pieces.size() != 5 || pieces[4] != "aws4_request") return std::nullopt;
      out.access_key = pieces[0];
      out.date = pieces[1];
      out.region = pieces[2];
      out.service = pieces[3];
    } else if (name == "SignedHeaders") {
      out.signed_headers = split(value, ';');
    } else if (name == "Signature") {
      out.signature = value;
    } else {
      return std::nullopt;
    }
  }
  if (out.access_key.empty() || out.signed_headers.empty() || out.signature.size() != 64) return std::nullopt;
  return out;
}

std::optional<std::string> canonical_request(const Request& request, const std::vector<std::string>& signed_headers, std::string_view payload_hash,
                                             std::string_view service) {
  const auto query = canonical_query(request.query);
  if (!query) return std::nullopt;
  std::string names;
  for (const std::string& name : signed_headers) names += (names.empty() ? "" : ";") + name;
  const std::string path = service == "s3" ? request.path : normalized_path(request.path);
  return request.method + "\n" + path + "\n" + *query + "\n" + canonical_headers(request, signed_headers) + "\n" + names + "\n" +
         std::string(payload_hash);
}

std::string string_to_sign(std::string_view timestamp, std::string_view scope, std::string_view canonical) {
  return std::string(kAlgorithm) + "\n" + std::string(timestamp) + "\n" + std::string(scope) + "\n" + hex_encode(sha256(canonical));
}

std::string sign(std::string_view secret, const Authorization& scope, std::string_view text) {
  std::string key = hmac_sha256("AWS4" + std::string(secret), scope.date);
  key = hmac_sha256(key, scope.region);
  key = hmac_sha256(key, scope.service);
  key = hmac_sha256(key, "aws4_request");
  return hex_encode(hmac_sha256(key, text));
}

}  // namespace icelab
