#include <algorithm>

#include "ec2/handlers.h"
#include "ec2/kinds.h"

namespace icelab {
namespace {

const json& template_of(Ec2Call& call) {
  if (call.in.contains("LaunchTemplateId")) return find_object(call, "launch_templates", call.text("LaunchTemplateId"));
  const std::string name = call.text("LaunchTemplateName");
  for (const auto& [id, one] : call.region["launch_templates"]) {
    if (one.value("LaunchTemplateName", "") == name) return one;
  }
  throw ApiError("InvalidLaunchTemplateName.NotFoundException", "The launch template '" + name + "' does not exist");
}

bool wanted_version(const json& wanted, const json& launch_template, const json& version) {
  const std::int64_t number = version.value("VersionNumber", std::int64_t{0});
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const json& one) {
           if (one == "$Latest") return number == launch_template.value("LatestVersionNumber", std::int64_t{0});
           if (one == "$Default") return number == launch_template.value("DefaultVersionNumber", std::int64_t{0});
           return one == std::to_string(number);
         });
}

}  // namespace

json describe_launch_template_versions(Ec2Call& call) {
  const json& launch_template = template_of(call);
  const json wanted = call.list("Versions");
  json list = json::array();
  for (const json& version : launch_template.value("_versions", json::array())) {
    if (wanted_version(wanted, launch_template, version)) list.push_back(version);
  }
  if (list.empty() && !wanted.empty())
    throw ApiError("InvalidLaunchTemplateId.VersionNotFound", "Could not find the launch template version " + wanted.dump());
  return {{"LaunchTemplateVersions", std::move(list)}};
}

// A launch template made from a running instance: the members that both have.
json get_launch_template_data(Ec2Call& call) {
  const std::string id = call.text("InstanceId");
  const json& instance = find_object(call, "instances", id);
  call.permit({{"instance", id, tags_of(instance), false, {}}});
  json data = json::object();
  for (const char* member : {"ImageId", "InstanceType", "KeyName", "EbsOptimized"}) {
    if (instance.contains(member)) data[member] = instance[member];
  }
  if (instance.contains("_user_data")) data["UserData"] = instance["_user_data"];
  json groups = json::array();
  for (const json& group : instance.value("SecurityGroups", json::array())) groups.push_back(group["GroupId"]);
  data["SecurityGroupIds"] = std::move(groups);
  return {{"LaunchTemplateData", std::move(data)}};
}

}  // namespace icelab
