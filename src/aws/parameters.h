// Parameters of the Query protocol, in the order in which they were added: `Filter.1.Name=…`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/http.h"

namespace icecore::aws {

struct Tag {
  std::string key = {}, value = {};
  bool operator==(const Tag&) const = default;
};

struct Filter {
  std::string name = {};  ///< "attachment.instance-id"
  std::vector<std::string> values = {};
};

class Parameters {
 public:
  Parameters& set(std::string name, std::string value);
  /// Name.1, Name.2, …
  Parameters& list(std::string_view name, std::span<const std::string> values);
  /// Filter.N.Name, Filter.N.Value.M. `prefix` is "Filter" for every call but a few.
  Parameters& filters(std::span<const Filter> filters);
  /// Tag.N.Key, Tag.N.Value under `prefix` ("Tag", "TagSpecification.1.Tag").
  Parameters& tags(std::string_view prefix, std::span<const Tag> tags);
  /// The next TagSpecification.N for a resource type ("snapshot").
  Parameters& tag_specification(std::string_view resource_type, std::span<const Tag> tags);

  const std::vector<NameValue>& values() const { return values_; }
  bool has(std::string_view name) const;
  /// application/x-www-form-urlencoded.
  std::string encoded() const;

 private:
  std::vector<NameValue> values_;
  std::size_t tag_specifications_ = 0;
};

}  // namespace icecore::aws
