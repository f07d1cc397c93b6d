// Members of JSON replies with their types checked; nothing throws on hostile input.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/json.h"
#include "core/timestamp.h"

namespace icecore::aws {

/// A whole number ≥ 0, or nothing.
std::optional<std::uint64_t> number_at(const Json& object, std::string_view member);

/// Seconds since 1970 as a number with a fraction (JSON protocols' timestamps), or nothing. Microsecond precision.
std::optional<Timestamp> epoch_at(const Json& object, std::string_view member);

/// A text that is there and not empty.
std::optional<std::string> filled_text_at(const Json& object, std::string_view member);

}  // namespace icecore::aws
