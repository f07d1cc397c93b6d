#include "ec2/filters.h"

#include <algorithm>

#include "ec2/call.h"
#include "util/api_error.h"
#include "util/encoding.h"

namespace icelab {
namespace {

void collect(const json& value, const std::vector<std::string>& path, std::size_t at, std::vector<std::string>& out) {
  if (value.is_array()) {
    for (const json& item : value) collect(item, path, at, out);
    return;
  }
  if (at == path.size()) {
    if (value.is_primitive() && !value.is_null()) out.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    return;
  }
  if (!value.is_object()) return;
  if (const auto found = value.find(path[at]); found != value.end()) collect(*found, path, at + 1, out);
}

std::vector<std::string> values_for(const json& object, const std::string& name, const FilterTable& table) {
  if (name == "tag-key") return values_at(tags_of(object), "Key");
  if (!name.starts_with("tag:")) return values_at(object, table.at(name));
  std::vector<std::string> out;
  for (const json& tag : tags_of(object)) {
    if (tag.value("Key", "") == name.substr(4)) out.push_back(tag.value("Value", ""));
  }
  return out;
}

}  // namespace

std::vector<std::string> values_at(const json& object, const std::string& path) {
  std::vector<std::string> out;
  collect(object, split(path, '.'), 0, out);
  return out;
}

void check_filters(const json& filters, const FilterTable& table) {
  for (const json& filter : filters) {
    const std::string name = filter.value("Name", "");
    if (name.empty()) throw ApiError("InvalidParameterValue", "The filter 'null' is invalid");
    if (!table.contains(name) && name != "tag-key" && !name.starts_with("tag:"))
      throw ApiError("InvalidParameterValue", "The filter '" + name + "' is invalid");
    const json values = filter.value("Values", json::array());
    if (values.empty()) throw ApiError("InvalidParameterValue", "The filter '" + name + "' needs a value");
    if (values.size() > 200) throw ApiError("FilterLimitExceeded", "The maximum length of filter values is 200");
  }
}

bool matches_filters(const json& object, const json& filters, const FilterTable& table) {
  return std::all_of(filters.begin(), filters.end(), [&](const json& filter) {
    const auto actual = values_for(object, filter["Name"], table);
    return std::any_of(actual.begin(), actual.end(), [&](const std::string& value) {
      return std::any_of(filter["Values"].begin(), filter["Values"].end(),
                         [&](const json& wanted) { return wildcard_match(wanted.get<std::string>(), value); });
    });
  });
}

}  // namespace icelab
