#include "aws/http.h"

#include <fmt/format.h>

#include "aws/signer.h"
#include "core/text.h"

namespace icecore::aws {

std::string_view header(const Headers& headers, std::string_view name) {
  const auto same = [&](const std::string& other) {
    if (other.size() != name.size()) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
      const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
      if (lower(other[i]) != lower(name[i])) return false;
    }
    return true;
  };
  for (const NameValue& one : headers) {
    if (same(one.name)) return one.value;
  }
  return {};
}

std::string request_url(const HttpRequest& request) {
  const std::string query = canonical_query(request.query);
  return fmt::format("{}{}{}{}", request.origin, request.path, query.empty() ? "" : "?", query);
}

}  // namespace icecore::aws
