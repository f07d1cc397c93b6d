// IAM, Query protocol: as much as says what an instance profile lets its instance do.
#include "lab.h"
#include "model/service_model.h"
#include "util/api_error.h"

namespace icelab {
namespace {

using nlohmann::json;

void permit(const Call& call, const std::string& arn) {
  const std::string action = "iam:" + call.action;
  if (call.principal.may({action, arn, {}}) == Decision::allowed) return;
  throw ApiError("AccessDenied", "User: " + call.principal.arn + " is not authorized to perform: " + action + " on resource: " + arn, 403);
}

std::string name_of(const std::string& arn) { return arn.substr(arn.rfind('/') + 1); }

// A role of world.json in IAM's shape.
json role_shape(const json& role) {
  const std::string arn = role.value("Arn", "");
  return {{"Path", role.value("Path", "/")},
          {"RoleName", role.value("RoleName", name_of(arn))},
          {"RoleId", role.value("RoleId", "AROA0000000000000000L")},
          {"Arn", arn},
          {"CreateDate", role.value("CreateDate", "2026-01-01T00:00:00Z")},
          {"AssumeRolePolicyDocument", percent_encode(role.value("_assume_role_policy", json::object()).dump())}};
}

const json& role_named(Call& call, const std::string& name) {
  for (const json& role : call.lab.world->roles) {
    if (name_of(role.value("Arn", "")) == name) return role;
  }
  throw ApiError("NoSuchEntity", "The role with name " + name + " cannot be found.", 404);
}

json get_instance_profile(Call& call, const std::string& name) {
  permit(call, "arn:aws:iam::" + call.lab.world->account + ":instance-profile/" + name);
  for (const json& profile : call.lab.world->instance_profiles) {
    if (profile.value("InstanceProfileName", "") == name) return {{"InstanceProfile", profile}};
  }
  throw ApiError("NoSuchEntity", "Instance Profile " + name + " cannot be found.", 404);
}

}  // namespace

Reply serve_iam(Call& call, const Parameters& parameters) {
  const ServiceModel& model = service_models().at("iam");
  const Operation& operation = *model.find(call.action);
  const json in = model.parse_query(operation, parameters);
  json out;
  const std::lock_guard lock(call.lab.world->mutex);
  if (call.action == "GetInstanceProfile") {
    out = get_instance_profile(call, in["InstanceProfileName"]);
  } else {
    const std::string name = in["RoleName"];
    permit(call, "arn:aws:iam::" + call.lab.world->account + ":role/" + name);
    const json& role = role_named(call, name);
    if (call.action == "GetRole") out = {{"Role", role_shape(role)}};
    if (call.action == "ListAttachedRolePolicies")
      out = {{"AttachedPolicies", role.value("_attached_policies", json::array())}, {"IsTruncated", false}};
    if (call.action == "ListRolePolicies") out = {{"PolicyNames", role.value("_inline_policies", json::array())}, {"IsTruncated", false}};
  }
  Reply reply;
  reply.headers.emplace_back("Content-Type", "text/xml");
  reply.body = model.to_xml(operation, out, call.request_id);
  return reply;
}

}  // namespace icelab
