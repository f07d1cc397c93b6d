#include "core/json.h"

#include <fmt/format.h>

namespace icecore {
namespace {

constexpr int kMaximumDepth = 64;

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view what) {
  bool too_deep = false;
  const auto bounded = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaximumDepth) too_deep = true;
    return depth <= kMaximumDepth;
  };
  try {
    Json value = Json::parse(text, bounded);
    if (too_deep) return fail(Code::kCorrupt, fmt::format("{} nests deeper than {} levels", what, kMaximumDepth));
    return value;
  } catch (const Json::exception& error) {
    return fail(Code::kCorrupt, fmt::format("{} is not valid JSON: {}", what, error.what()));
  }
}

std::string text_at(const Json& object, std::string_view member, std::string_view fallback) {
  if (object.is_object()) {
    const auto found = object.find(member);
    if (found != object.end() && found->is_string()) return found->get<std::string>();
  }
  return std::string(fallback);
}

const Json& json_at(const Json& object, std::initializer_list<std::string_view> path) {
  static const Json null;
  const Json* here = &object;
  for (const std::string_view name : path) {
    if (!here->is_object()) return null;
    const auto found = here->find(name);
    if (found == here->end()) return null;
    here = &*found;
  }
  return *here;
}

}  // namespace icecore
