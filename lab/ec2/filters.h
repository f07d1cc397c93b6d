// EC2's Filters: name and values, with wildcards; any value of one filter, all filters.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace icelab {

// Filter name → where its values are, as a dotted path of members; lists on the way are walked.
using FilterTable = std::map<std::string, std::string>;

// Throws ApiError for a filter that the table has not (tag:KEY and tag-key are always there).
void check_filters(const nlohmann::json& filters, const FilterTable& table);

bool matches_filters(const nlohmann::json& object, const nlohmann::json& filters, const FilterTable& table);

// All values at a path, as text.
std::vector<std::string> values_at(const nlohmann::json& object, const std::string& path);

}  // namespace icelab
