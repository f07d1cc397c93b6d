#include <algorithm>

#include "ec2/handlers.h"
#include "ec2/kinds.h"
#include "ec2/snapshots.h"

namespace icelab {
namespace {

const ResourceKind& taggable(const std::string& id) {
  const ResourceKind* kind = kind_of_id(id);
  if (kind == nullptr || kind->type.empty()) throw ApiError("InvalidID", "The ID '" + id + "' is not valid");
  return *kind;
}

// All of them or none: every id is looked up and permitted before the first is changed.
std::vector<json*> addressed(Ec2Call& call) {
  std::vector<json*> objects;
  std::vector<Resource> resources;
  for (const json& one : call.list("Resources")) {
    const std::string id = one;
    const ResourceKind& kind = taggable(id);
    json& object = find_object(call, kind.table, id);
    if (kind.table == "snapshots" && !snapshot_visible(call, object)) throw not_found(kind, id);
    objects.push_back(&object);
    resources.push_back({kind.type, id, tags_of(std::as_const(object)), false, {}});
  }
  call.permit(resources);
  return objects;
}

}  // namespace

json create_tags(Ec2Call& call) {
  const json wanted = call.list("Tags");
  if (wanted.empty()) throw ApiError("MissingParameter", "The request must contain the parameter Tag");
  check_tags(wanted);
  for (json* object : addressed(call)) {
    json tags = tags_of(std::as_const(*object));
    for (const json& tag : wanted) {
      json* old = find_by(tags, "Key", tag["Key"]);
      if (old != nullptr) {
        (*old)["Value"] = tag.value("Value", "");
      } else {
        tags.push_back({{"Key", tag["Key"]}, {"Value", tag.value("Value", "")}});
      }
    }
    if (tags.size() > 50) throw ApiError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.");
    tags_of(*object) = std::move(tags);
  }
  return json::object();
}

json delete_tags(Ec2Call& call) {
  const json wanted = call.list("Tags");
  for (json* object : addressed(call)) {
    json& tags = tags_of(*object);
    json kept = json::array();
    for (const json& tag : tags) {
      // Without a value any value goes; with one only that; without tags all.
      const bool goes = wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const json& one) {
                          return one.value("Key", "") == tag["Key"] && (!one.contains("Value") || one["Value"] == tag["Value"]);
                        });
      if (!goes) kept.push_back(tag);
    }
    tags = std::move(kept);
  }
  return json::object();
}

json describe_tags(Ec2Call& call) {
  static const FilterTable kFilters = {{"resource-id", "ResourceId"}, {"resource-type", "ResourceType"}, {"key", "Key"}, {"value", "Value"}};
  json filters = call.list("Filters");
  check_filters(filters, kFilters);
  json list = json::array();
  for (const ResourceKind& kind : resource_kinds()) {
    if (kind.type.empty()) continue;
    for (const auto& [id, object] : call.region[kind.table]) {
      for (const json& tag : tags_of(object)) {
        json one = {{"ResourceId", id}, {"ResourceType", kind.type}, {"Key", tag["Key"]}, {"Value", tag.value("Value", "")}};
        if (matches_filters(one, filters, kFilters)) list.push_back(std::move(one));
      }
    }
  }
  return {{"Tags", std::move(list)}};
}

}  // namespace icelab
