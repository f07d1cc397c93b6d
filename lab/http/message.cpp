#include "http/message.h"

#include "util/encoding.h"

namespace icelab {
namespace {

std::string_view find(const Headers& headers, std::string_view name) {
  const std::string wanted = lowercase(name);
  for (const auto& [key, value] : headers) {
    if (lowercase(key) == wanted) return value;
  }
  return {};
}

}  // namespace

std::string_view Request::header(std::string_view name) const { return find(headers, name); }
std::string_view Reply::header(std::string_view name) const { return find(headers, name); }

}  // namespace icelab
