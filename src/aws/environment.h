// Environment variables as a value, so that configuration and credentials are functions of their input. Nothing in this room calls getenv but
// process_environment().
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace icecore::aws {

/// A variable's value, or nothing where it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view)>;

/// The program's own environment.
Environment process_environment();

Environment fixed_environment(std::map<std::string, std::string, std::less<>> variables);

/// The value, where it is set and not empty.
std::optional<std::string> non_empty(const Environment& environment, std::string_view name);

}  // namespace icecore::aws
