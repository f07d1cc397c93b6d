#include "aws/parameters.h"

#include <fmt/format.h>
#include <algorithm>

#include "aws/signer.h"

namespace icecore::aws {

Parameters& Parameters::set(std::string name, std::string value) {
  values_.push_back({std::move(name), std::move(value)});
  return *this;
}

Parameters& Parameters::list(std::string_view name, std::span<const std::string> values) {
  for (std::size_t i = 0; i < values.size(); ++i) set(fmt::format("{}.{}", name, i + 1), values[i]);
  return *this;
}

Parameters& Parameters::filters(std::span<const Filter> filters) {
  for (std::size_t i = 0; i < filters.size(); ++i) {
    set(fmt::format("Filter.{}.Name", i + 1), filters[i].name);
    list(fmt::format("Filter.{}.Value", i + 1), filters[i].values);
  }
  return *this;
}

Parameters& Parameters::tags(std::string_view prefix, std::span<const Tag> tags) {
  for (std::size_t i = 0; i < tags.size(); ++i) {
    set(fmt::format("{}.{}.Key", prefix, i + 1), tags[i].key);
    set(fmt::format("{}.{}.Value", prefix, i + 1), tags[i].value);
  }
  return *this;
}

Parameters& Parameters::tag_specification(std::string_view resource_type, std::span<const Tag> tags) {
  if (tags.empty()) return *this;
  const std::string prefix = fmt::format("TagSpecification.{}", ++tag_specifications_);
  set(prefix + ".ResourceType", std::string(resource_type));
  return this->tags(prefix + ".Tag", tags);
}

bool Parameters::has(std::string_view name) const {
  return std::any_of(values_.begin(), values_.end(), [&](const NameValue& one) { return one.name == name; });
}

std::string Parameters::encoded() const {
  std::string body;
  for (const NameValue& one : values_) {
    body += fmt::format("{}{}={}", body.empty() ? "" : "&", percent_encode(one.name), percent_encode(one.value));
  }
  return body;
}

}  // namespace icecore::aws
