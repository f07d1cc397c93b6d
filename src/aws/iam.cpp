#include "aws/iam.h"

#include <fmt/format.h>

#include "aws/xml.h"

namespace icecore::aws {
namespace {

constexpr std::string_view kVersion = "2010-05-08";
constexpr const char* kTrustEc2 =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]})";

Tags member_tags(const pugi::xml_node& set) {
  Tags tags;
  for (const pugi::xml_node& item : set.children("member")) tags.push_back({child_text(item, "Key"), child_text(item, "Value")});
  return tags;
}

}  // namespace

CallResult<std::string> Iam::call(std::string_view action, const Parameters& parameters) {
  Call call{.operation = &operation("iam", action), .protocol = Protocol::kQuery, .method = "POST"};
  call.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  Parameters form;
  form.set("Action", std::string(action)).set("Version", std::string(kVersion));
  call.body = form.encoded() + '&' + parameters.encoded();
  call.parameters = parameters.values();
  ICECORE_CALL(const CallReply reply, executor_.run(std::move(call), origin_, region_));
  return std::string(as_text(reply.http.body));
}

CallResult<void> Iam::change(std::string_view action, const Parameters& parameters, std::string_view fine) {
  auto reply = call(action, parameters);
  if (!reply && reply.error().aws_code != fine) return CallFailure(std::move(reply).error());
  return {};
}

CallResult<std::optional<Tags>> Iam::role_tags(const std::string& role) {
  auto reply = call("GetRole", Parameters().set("RoleName", role));
  if (!reply && reply.error().code == Code::kNotFound) return std::optional<Tags>();
  if (!reply) return CallFailure(std::move(reply).error());
  ICECORE_CALL(const XmlReply xml, parse_xml(*reply, "GetRole"));
  return std::optional(member_tags(xml.root.child("GetRoleResult").child("Role").child("Tags")));
}

CallResult<std::optional<InstanceProfile>> Iam::instance_profile(const std::string& name) {
  auto reply = call("GetInstanceProfile", Parameters().set("InstanceProfileName", name));
  if (!reply && reply.error().code == Code::kNotFound) return std::optional<InstanceProfile>();
  if (!reply) return CallFailure(std::move(reply).error());
  ICECORE_CALL(const XmlReply xml, parse_xml(*reply, "GetInstanceProfile"));
  const pugi::xml_node found = xml.root.child("GetInstanceProfileResult").child("InstanceProfile");
  InstanceProfile profile{child_text(found, "Arn"), child_text(found.child("Roles").child("member"), "RoleName"), member_tags(found.child("Tags"))};
  return std::optional(std::move(profile));
}

CallResult<void> Iam::create_role(const std::string& role, const std::string& description, const Tags& tags) {
  Parameters parameters;
  parameters.set("RoleName", role).set("AssumeRolePolicyDocument", kTrustEc2).set("Description", description).tags("Tags.member", tags);
  return change("CreateRole", parameters, "EntityAlreadyExists");
}

CallResult<void> Iam::attach_role_policy(const std::string& role, const std::string& policy_arn) {
  return change("AttachRolePolicy", Parameters().set("RoleName", role).set("PolicyArn", policy_arn), "EntityAlreadyExists");
}

CallResult<void> Iam::create_instance_profile(const std::string& name, const Tags& tags) {
  return change("CreateInstanceProfile", Parameters().set("InstanceProfileName", name).tags("Tags.member", tags), "EntityAlreadyExists");
}

CallResult<void> Iam::add_role(const std::string& profile, const std::string& role) {
  // A profile holds one role: a second one, or the same again, is LimitExceeded.
  return change("AddRoleToInstanceProfile", Parameters().set("InstanceProfileName", profile).set("RoleName", role), "LimitExceeded");
}

CallResult<void> Iam::remove_role(const std::string& profile, const std::string& role) {
  return change("RemoveRoleFromInstanceProfile", Parameters().set("InstanceProfileName", profile).set("RoleName", role), "NoSuchEntity");
}

CallResult<void> Iam::delete_instance_profile(const std::string& name) {
  return change("DeleteInstanceProfile", Parameters().set("InstanceProfileName", name), "NoSuchEntity");
}

CallResult<void> Iam::detach_role_policy(const std::string& role, const std::string& policy_arn) {
  return change("DetachRolePolicy", Parameters().set("RoleName", role).set("PolicyArn", policy_arn), "NoSuchEntity");
}

CallResult<void> Iam::delete_role(const std::string& role) { return change("DeleteRole", Parameters().set("RoleName", role), "NoSuchEntity"); }

}  // namespace icecore::aws
