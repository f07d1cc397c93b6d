// JSON is nlohmann's; parsing what came from outside goes through here, so that no exception crosses a room.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/result.h"

namespace icecore {

using Json = nlohmann::json;
/// Keeps members in the order in which they were written: for files that people read and for canonical lines.
using OrderedJson = nlohmann::ordered_json;

/// kCorrupt with the byte where it stops making sense. `what` names the file or reply in the message. Depth is bounded to 64.
Result<Json> parse_json(std::string_view text, std::string_view what);

/// A member of an object as text, or `fallback` where it is missing or of another type. Never throws.
std::string text_at(const Json& object, std::string_view member, std::string_view fallback = "");
/// A nested member by a path of names (`{"userIdentity", "accessKeyId"}`), or null.
const Json& json_at(const Json& object, std::initializer_list<std::string_view> path);

}  // namespace icecore
