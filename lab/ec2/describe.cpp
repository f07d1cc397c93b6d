#include "ec2/describe.h"

#include <algorithm>

#include "ec2/kinds.h"

namespace icelab {
namespace {

std::string name_member(const std::string& table) {
  if (table == "key_pairs") return "KeyName";
  if (table == "security_groups") return "GroupName";
  return table == "launch_templates" ? "LaunchTemplateName" : "";
}

// KeyNames, GroupNames, LaunchTemplateNames: the other way to say which.
std::vector<std::string> named(Ec2Call& call, const ResourceKind& kind) {
  const std::string member = name_member(kind.table);
  std::vector<std::string> ids;
  if (member.empty()) return ids;
  for (const json& name : call.list((member + "s").c_str())) {
    const auto& table = call.region[kind.table];
    const auto found = std::find_if(table.begin(), table.end(), [&](const auto& entry) { return entry.second.value(member, "") == name; });
    if (found == table.end()) throw not_found(kind, name.get<std::string>());
    ids.push_back(found->first);
  }
  return ids;
}

}  // namespace

json select_objects(Ec2Call& call, const std::string& table, bool (*visible)(const Ec2Call&, const json&)) {
  const ResourceKind& kind = kind_of(table);
  const json filters = call.list("Filters");
  check_filters(filters, kind.filters);
  std::vector<std::string> wanted = named(call, kind);
  const json ids = call.list(kind.ids.c_str());
  if (ids.size() > 1000) throw ApiError("InvalidParameterValue", "No more than 1000 ids can be given");
  for (const json& one : ids) {
    const std::string id = one;
    const json& object = find_object(call, table, id);
    if (visible != nullptr && !visible(call, object)) throw not_found(kind, id);
    wanted.push_back(id);
  }
  json out = json::array();
  for (const auto& [id, object] : call.region[table]) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), id) == wanted.end()) continue;
    if (visible != nullptr && !visible(call, object)) continue;
    if (matches_filters(object, filters, kind.filters)) out.push_back(object);
  }
  return out;
}

}  // namespace icelab
