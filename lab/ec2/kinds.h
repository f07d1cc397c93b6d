// The kinds of objects that EC2 describes: how they are named, found and filtered.
#pragma once

#include <string>
#include <vector>

#include "ec2/filters.h"
#include "util/api_error.h"

namespace icelab {

struct ResourceKind {
  std::string table;      // in world.json
  std::string type;       // in ARNs and tag specifications
  std::string prefix;     // of ids, "vol-"; empty when they have no form
  std::string not_found;  // error codes
  std::string malformed;
  std::string list;  // member of the Describe reply
  std::string ids;   // member of the Describe request
  FilterTable filters;
};

const std::vector<ResourceKind>& resource_kinds();
const ResourceKind& kind_of(const std::string& table);  // throws std::out_of_range
const ResourceKind* kind_of_id(const std::string& id);  // by prefix; null when none

ApiError malformed(const ResourceKind& kind, const std::string& id);
ApiError not_found(const ResourceKind& kind, const std::string& id);

}  // namespace icelab
