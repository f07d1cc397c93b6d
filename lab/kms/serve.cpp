// KMS, JSON 1.1: keys are names with a description; nothing is encrypted.
#include "ec2/call.h"
#include "json_front.h"
#include "util/api_error.h"
#include "util/digest.h"

namespace icelab {
namespace {

using nlohmann::json;

std::string key_arn(const Call& call, const std::string& id) {
  return "arn:aws:kms:" + call.region->name + ":" + call.lab.world->account + ":key/" + id;
}

void permit(const Call& call, const std::string& action, const std::string& arn, const json& tags, bool request_tags) {
  ConditionContext context = {{"aws:requestedregion", {call.region->name}}};
  for (const json& tag : tags)
    context[(request_tags ? "aws:requesttag/" : "aws:resourcetag/") + lowercase(tag.value("TagKey", ""))] = {tag.value("TagValue", "")};
  if (call.principal.may({action, arn, context}) == Decision::allowed) return;
  throw ApiError("AccessDeniedException", "User: " + call.principal.arn + " is not authorized to perform: " + action + " on resource: " + arn +
                                              " because no identity-based policy allows the " + action + " action");
}

json metadata(const Call& call, const std::string& id, const json& key) {
  return {
      {"KeyId", id},     {"Arn", key_arn(call, id)}, {"AWSAccountId", call.lab.world->account}, {"Description", key.value("Description", "")},
      {"Enabled", true}, {"KeyState", "Enabled"},    {"KeyUsage", "ENCRYPT_DECRYPT"},           {"KeyManager", key.value("KeyManager", "CUSTOMER")}};
}

// An id, an ARN or an alias. The default key of EBS is always there; it and foreign keys are named by ARN.
json describe_key(Call& call, std::string name) {
  Table& keys = (*call.region)["kms_keys"];
  if (name.starts_with("alias/")) {
    Table& aliases = (*call.region)["kms_aliases"];
    const auto alias = aliases.find(name);
    if (name == "alias/aws/ebs") {
      name = "00000000-0000-4000-8000-0000000aeb50";
    } else {
      permit(call, "kms:DescribeKey", key_arn(call, "*"), json::array(), false);
      if (alias == aliases.end()) throw ApiError("NotFoundException", "Alias " + name + " is not found.");
      name = alias->second["TargetKeyId"];
    }
  }
  const bool foreign = name.starts_with("arn:") && name.find(":" + call.lab.world->account + ":") == std::string::npos;
  if (const std::size_t slash = name.rfind('/'); slash != std::string::npos) name.erase(0, slash + 1);
  const auto found = keys.find(name);
  permit(call, "kms:DescribeKey", key_arn(call, name), found == keys.end() ? json::array() : found->second.value("_tags", json::array()), false);
  if (foreign) throw ApiError("AccessDeniedException", "The key belongs to another account and is not shared");
  if (name == "00000000-0000-4000-8000-0000000aeb50") return {{"KeyMetadata", metadata(call, name, {{"KeyManager", "AWS"}})}};
  if (found == keys.end()) throw ApiError("NotFoundException", "Key '" + key_arn(call, name) + "' does not exist");
  return {{"KeyMetadata", metadata(call, name, found->second)}};
}

json create_key(Call& call, const json& in) {
  const json tags = in.value("Tags", json::array());
  permit(call, "kms:CreateKey", "*", tags, true);
  if (!tags.empty()) permit(call, "kms:TagResource", key_arn(call, "*"), tags, true);
  const std::string id = new_request_id();
  json& key = (*call.region)["kms_keys"][id] = {{"KeyId", id}, {"Description", in.value("Description", "")}, {"_tags", tags}};
  return {{"KeyMetadata", metadata(call, id, key)}};
}

json create_alias(Call& call, const json& in) {
  const std::string name = in["AliasName"];
  const std::string key = in["TargetKeyId"];
  Table& keys = (*call.region)["kms_keys"];
  const auto found = keys.find(key);
  permit(call, "kms:CreateAlias", key_arn(call, key), found == keys.end() ? json::array() : found->second.value("_tags", json::array()), false);
  permit(call, "kms:CreateAlias", "arn:aws:kms:" + call.region->name + ":" + call.lab.world->account + ":" + name, json::array(), false);
  if (found == keys.end()) throw ApiError("NotFoundException", "Key '" + key + "' does not exist");
  if ((*call.region)["kms_aliases"].contains(name)) throw ApiError("AlreadyExistsException", "An alias with the name " + name + " already exists");
  (*call.region)["kms_aliases"][name] = {{"TargetKeyId", key}};
  return json::object();
}

json list_keys(Call& call) {
  permit(call, "kms:ListKeys", "*", json::array(), false);
  json list = json::array();
  for (const auto& [id, key] : (*call.region)["kms_keys"]) list.push_back({{"KeyId", id}, {"KeyArn", key_arn(call, id)}});
  return {{"Keys", std::move(list)}, {"Truncated", false}};
}

}  // namespace

Reply serve_kms(Call& call) {
  return serve_json(call, [&call](const json& in) {
    const std::lock_guard lock(call.lab.world->mutex);
    call.lab.world->settle();
    if (call.action == "DescribeKey") return describe_key(call, in["KeyId"]);
    if (call.action == "CreateKey") return create_key(call, in);
    if (call.action == "CreateAlias") return create_alias(call, in);
    return list_keys(call);
  });
}

}  // namespace icelab
