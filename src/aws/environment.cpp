#include "aws/environment.h"

#include <cstdlib>
#include <memory>

namespace icecore::aws {

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());  // NOLINT(concurrency-mt-unsafe): nothing of ours calls setenv
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

Environment fixed_environment(std::map<std::string, std::string, std::less<>> variables) {
  auto shared = std::make_shared<const decltype(variables)>(std::move(variables));
  return [shared](std::string_view name) -> std::optional<std::string> {
    const auto found = shared->find(name);
    if (found == shared->end()) return std::nullopt;
    return found->second;
  };
}

std::optional<std::string> non_empty(const Environment& environment, std::string_view name) {
  auto value = environment(name);
  if (value && value->empty()) return std::nullopt;
  return value;
}

}  // namespace icecore::aws
