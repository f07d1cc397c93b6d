// Shell patterns for one name: `*`, `?`, `[a-z]`, `[!a-z]`, `\x`. POSIX.1-2017, 2.13, without the rule for a leading dot.
#pragma once

#include <string_view>

namespace icecore::machine {

bool has_wildcard(std::string_view pattern);
/// Linear in time for any pattern with at most one retry a `*` (no exponential back-tracking).
bool matches_pattern(std::string_view pattern, std::string_view name);

}  // namespace icecore::machine
