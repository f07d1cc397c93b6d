// IAM, Query protocol: what says what an instance profile lets its instance do, and as much as makes a profile and takes it away again.
#include <algorithm>

#include "auth/condition.h"
#include "lab.h"
#include "model/service_model.h"
#include "util/api_error.h"
#include "util/digest.h"

namespace icelab {
namespace {

using nlohmann::json;

std::string name_of(const std::string& arn) { return arn.substr(arn.rfind('/') + 1); }
std::string role_arn(const Call& call, const std::string& name) { return "arn:aws:iam::" + call.lab.world->account + ":role/" + name; }
std::string profile_arn(const Call& call, const std::string& name) { return "arn:aws:iam::" + call.lab.world->account + ":instance-profile/" + name; }

void permit(const Call& call, const std::string& action, const std::string& arn, ConditionContext context) {
  if (call.principal.may({action, arn, context}) == Decision::allowed) return;
  throw ApiError("AccessDenied",
                 "User: " + call.principal.arn + " is not authorized to perform: " + action + " on resource: " + arn +
                     " because no identity-based policy allows the " + action + " action",
                 403);
}

ConditionContext tagged(const json& tags, const std::string& prefix) {
  ConditionContext context;
  for (const json& tag : tags) context[prefix + lowercase(tag.value("Key", ""))] = {tag.value("Value", "")};
  return context;
}

ConditionContext of_object(const json* object) {
  return object == nullptr ? ConditionContext() : tagged(object->value("_tags", json::array()), "aws:resourcetag/");
}

json* find_role(Call& call, const std::string& name) {
  for (json& role : call.lab.world->roles) {
    if (name_of(role.value("Arn", "")) == name) return &role;
  }
  return nullptr;
}

json* find_profile(Call& call, const std::string& name) { return find_by(call.lab.world->instance_profiles, "InstanceProfileName", name); }

// A role of world.json in IAM's shape.
json role_shape(const json& role) {
  const std::string arn = role.value("Arn", "");
  return {{"Path", role.value("Path", "/")},
          {"RoleName", role.value("RoleName", name_of(arn))},
          {"RoleId", role.value("RoleId", "AROA0000000000000000L")},
          {"Arn", arn},
          {"CreateDate", role.value("CreateDate", "2026-01-01T00:00:00Z")},
          {"Tags", role.value("_tags", json::array())},
          {"AssumeRolePolicyDocument", percent_encode(role.value("_assume_role_policy", json::object()).dump())}};
}

json profile_shape(json profile) {
  profile["Tags"] = profile.value("_tags", json::array());
  return profile;
}

[[noreturn]] void no_such(const std::string& what) { throw ApiError("NoSuchEntity", what + " cannot be found.", 404); }

json& role_named(Call& call, const std::string& name) {
  json* role = find_role(call, name);
  permit(call, "iam:" + call.action, role_arn(call, name), of_object(role));
  if (role == nullptr) no_such("The role with name " + name);
  return *role;
}

json& profile_named(Call& call, const std::string& name) {
  json* profile = find_profile(call, name);
  permit(call, "iam:" + call.action, profile_arn(call, name), of_object(profile));
  if (profile == nullptr) no_such("Instance Profile " + name);
  return *profile;
}

void permit_creation(Call& call, const std::string& arn, const char* tag_action, const json& tags) {
  const ConditionContext context = tagged(tags, "aws:requesttag/");
  permit(call, "iam:" + call.action, arn, context);
  if (!tags.empty()) permit(call, tag_action, arn, context);
}

json create_role(Call& call, const json& in) {
  const std::string name = in["RoleName"];
  const json tags = in.value("Tags", json::array());
  permit_creation(call, role_arn(call, name), "iam:TagRole", tags);
  if (find_role(call, name) != nullptr) throw ApiError("EntityAlreadyExists", "Role with name " + name + " already exists.", 409);
  const json trust = json::parse(in.value("AssumeRolePolicyDocument", ""), nullptr, false);
  if (!trust.is_object()) throw ApiError("MalformedPolicyDocument", "The trust policy is not JSON");
  call.lab.world->roles.push_back({{"Arn", role_arn(call, name)},
                                   {"RoleName", name},
                                   {"RoleId", "AROA" + name},
                                   {"_trusts", json::array()},
                                   {"_assume_role_policy", trust},
                                   {"_attached_policies", json::array()},
                                   {"_tags", tags}});
  return {{"Role", role_shape(call.lab.world->roles.back())}};
}

json create_profile(Call& call, const json& in) {
  const std::string name = in["InstanceProfileName"];
  const json tags = in.value("Tags", json::array());
  permit_creation(call, profile_arn(call, name), "iam:TagInstanceProfile", tags);
  if (find_profile(call, name) != nullptr) throw ApiError("EntityAlreadyExists", "Instance Profile " + name + " already exists.", 409);
  call.lab.world->instance_profiles.push_back({{"Path", "/"},
                                               {"InstanceProfileName", name},
                                               {"InstanceProfileId", "AIPA" + name},
                                               {"Arn", profile_arn(call, name)},
                                               {"CreateDate", iso8601(call.lab.clock.now())},
                                               {"Roles", json::array()},
                                               {"_tags", tags}});
  return {{"InstanceProfile", profile_shape(call.lab.world->instance_profiles.back())}};
}

json add_role(Call& call, const json& in) {
  json& profile = profile_named(call, in["InstanceProfileName"]);
  json* role = find_role(call, in["RoleName"]);
  const std::string arn = role_arn(call, in["RoleName"]);
  ConditionContext context = of_object(role);
  context["iam:passedtoservice"] = {"ec2.amazonaws.com"};
  permit(call, "iam:PassRole", arn, context);
  if (role == nullptr) no_such("The role with name " + in["RoleName"].get<std::string>());
  if (!profile["Roles"].empty()) throw ApiError("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1", 409);
  profile["Roles"].push_back(role_shape(*role));
  return json::object();
}

json change_attachment(Call& call, const json& in, bool attach) {
  const std::string policy = in["PolicyArn"];
  json* role = find_role(call, in["RoleName"]);
  ConditionContext context = of_object(role);
  context["iam:policyarn"] = {policy};
  permit(call, "iam:" + call.action, role_arn(call, in["RoleName"]), context);
  if (role == nullptr) no_such("The role with name " + in["RoleName"].get<std::string>());
  json& list = (*role)["_attached_policies"];
  if (!list.is_array()) list = json::array();
  const auto found = std::find_if(list.begin(), list.end(), [&](const json& one) { return one.value("PolicyArn", "") == policy; });
  if (!attach && found == list.end()) no_such("Policy " + policy);
  if (!attach) list.erase(found);
  if (attach && found == list.end()) list.push_back({{"PolicyName", name_of(policy)}, {"PolicyArn", policy}});
  return json::object();
}

json delete_role(Call& call, const json& in) {
  const json& role = role_named(call, in["RoleName"]);
  const std::string arn = role["Arn"];
  for (const json& profile : call.lab.world->instance_profiles) {
    for (const json& one : profile.value("Roles", json::array())) {
      if (one.value("Arn", "") == arn) throw ApiError("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.", 409);
    }
  }
  if (!role.value("_attached_policies", json::array()).empty())
    throw ApiError("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409);
  json& roles = call.lab.world->roles;
  roles.erase(std::find_if(roles.begin(), roles.end(), [&](const json& one) { return one.value("Arn", "") == arn; }));
  return json::object();
}

json delete_profile(Call& call, const json& in) {
  const json& profile = profile_named(call, in["InstanceProfileName"]);
  if (!profile["Roles"].empty()) throw ApiError("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.", 409);
  const std::string arn = profile["Arn"];
  json& list = call.lab.world->instance_profiles;
  list.erase(std::find_if(list.begin(), list.end(), [&](const json& one) { return one.value("Arn", "") == arn; }));
  return json::object();
}

json remove_role(Call& call, const json& in) {
  json& profile = profile_named(call, in["InstanceProfileName"]);
  if (profile["Roles"].empty()) no_such("The role in the profile");
  profile["Roles"] = json::array();
  return json::object();
}

json act(Call& call, const json& in) {
  const std::string& action = call.action;
  if (action == "GetInstanceProfile") return {{"InstanceProfile", profile_shape(profile_named(call, in["InstanceProfileName"]))}};
  if (action == "GetRole") return {{"Role", role_shape(role_named(call, in["RoleName"]))}};
  if (action == "ListAttachedRolePolicies")
    return {{"AttachedPolicies", role_named(call, in["RoleName"]).value("_attached_policies", json::array())}, {"IsTruncated", false}};
  if (action == "ListRolePolicies")
    return {{"PolicyNames", role_named(call, in["RoleName"]).value("_inline_policies", json::array())}, {"IsTruncated", false}};
  if (action == "CreateRole") return create_role(call, in);
  if (action == "DeleteRole") return delete_role(call, in);
  if (action == "AttachRolePolicy") return change_attachment(call, in, true);
  if (action == "DetachRolePolicy") return change_attachment(call, in, false);
  if (action == "CreateInstanceProfile") return create_profile(call, in);
  if (action == "DeleteInstanceProfile") return delete_profile(call, in);
  if (action == "AddRoleToInstanceProfile") return add_role(call, in);
  return remove_role(call, in);
}

}  // namespace

Reply serve_iam(Call& call, const Parameters& parameters) {
  const ServiceModel& model = service_models().at("iam");
  const Operation& operation = *model.find(call.action);
  const json in = model.parse_query(operation, parameters);
  const std::lock_guard lock(call.lab.world->mutex);
  const json out = act(call, in);
  Reply reply;
  reply.headers.emplace_back("Content-Type", "text/xml");
  reply.body = model.to_xml(operation, out, call.request_id);
  return reply;
}

}  // namespace icelab
