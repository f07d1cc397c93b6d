#include "engine/safe_path.h"

#include <fmt/format.h>

#include "core/text.h"

namespace icecore::engine {
namespace {

// A name from a hostile disk may be "..", or hold a slash: nothing of it may lead out of the destination.
bool safe_component(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

}  // namespace

Result<Path> path_below(const Path& destination, std::string_view inside) {
  Path local = destination;
  for (const std::string_view part : split(inside, '/')) {
    if (part.empty()) continue;
    if (!safe_component(part)) return fail(Code::kCorrupt, fmt::format("the name '{}' would lead out of {}", printable(part), destination.string()));
    local /= std::string(part);
  }
  return local;
}

}  // namespace icecore::engine
