#include "ec2/call.h"

#include <algorithm>

#include "ec2/kinds.h"
#include "util/digest.h"

namespace icelab {
namespace {

ConditionContext context_of(const Ec2Call& call, const Resource& resource, const json& request_tags) {
  ConditionContext context = resource.more;
  context["aws:requestedregion"] = context["ec2:region"] = {call.region.name};
  context["aws:principalarn"] = {call.principal.arn};
  context["aws:sourceip"] = {"127.0.0.1"};
  context["aws:currenttime"] = {call.now()};
  const std::string& arn = call.principal.arn;
  if (const std::size_t slash = arn.rfind('/'); slash != std::string::npos) context["aws:username"] = {arn.substr(slash + 1)};
  for (const json& tag : resource.tags) {
    const std::string key = lowercase(tag.value("Key", ""));
    context["aws:resourcetag/" + key] = context["ec2:resourcetag/" + key] = {tag.value("Value", "")};
  }
  for (const json& tag : request_tags) {
    context["aws:requesttag/" + lowercase(tag.value("Key", ""))] = {tag.value("Value", "")};
    context["aws:tagkeys"].push_back(tag.value("Key", ""));
  }
  return context;
}

void require(const Ec2Call& call, const std::string& action, const Resource& resource, const ConditionContext& context) {
  const std::string arn = call.arn(resource.type, resource.id);
  const Decision decision = call.principal.may({action, arn, context});
  if (decision == Decision::allowed) return;
  const std::string why = decision == Decision::explicitly_denied ? "with an explicit deny in an identity-based policy"
                                                                  : "because no identity-based policy allows the " + action + " action";
  throw ApiError("UnauthorizedOperation",
                 "You are not authorized to perform this operation. User: " + call.principal.arn + " is not authorized to perform: " + action +
                     " on resource: " + arn + " " + why,
                 403);
}

json request_tags(const Ec2Call& call, const std::string& type) {
  for (const json& one : call.in.value("TagSpecifications", json::array())) {
    if (one.value("ResourceType", "") == type) return one.value("Tags", json::array());
  }
  return json::array();
}

}  // namespace

std::string Ec2Call::arn(const std::string& type, const std::string& id) const {
  if (type.empty()) return "*";
  // Snapshots and images can belong to anyone, so their ARNs name no account.
  const bool no_account = type == "snapshot" || type == "image";
  return "arn:aws:ec2:" + region.name + ":" + (no_account ? "" : world.account) + ":" + type + "/" + id;
}

void Ec2Call::permit(const std::vector<Resource>& resources) {
  const std::string action = "ec2:" + operation.name;
  for (const Resource& resource : resources) {
    const bool tagging = operation.name == "CreateTags" || operation.name == "DeleteTags";
    const json tags = tagging ? list("Tags") : resource.created ? request_tags(*this, resource.type) : json::array();
    ConditionContext context = context_of(*this, resource, tags);
    require(*this, action, resource, context);
    if (tagging || tags.empty()) continue;
    context["ec2:createaction"] = {operation.name};
    require(*this, "ec2:CreateTags", resource, context);
  }
  permitted = true;
  if (flag("DryRun")) throw ApiError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
}

void check_tags(const json& tags) {
  if (tags.size() > 50) throw ApiError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.");
  std::vector<std::string> keys;
  for (const json& tag : tags) {
    const std::string key = tag.value("Key", "");
    if (key.empty()) throw ApiError("InvalidParameterValue", "Tag keys must not be empty");
    if (key.size() > 127) throw ApiError("InvalidParameterValue", "Tag key exceeds the maximum length of 127 characters");
    if (tag.value("Value", "").size() > 255) throw ApiError("InvalidParameterValue", "Tag value exceeds the maximum length of 255 characters");
    if (lowercase(key).starts_with("aws:")) throw ApiError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use");
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) throw ApiError("InvalidParameterValue", "Duplicate tag key '" + key + "' specified.");
    keys.push_back(key);
  }
}

json tags_for(const Ec2Call& call, const std::string& type, const std::vector<std::string>& allowed) {
  json out = json::array();
  for (const json& one : call.in.value("TagSpecifications", json::array())) {
    const std::string resource = one.value("ResourceType", "");
    if (std::find(allowed.begin(), allowed.end(), resource) == allowed.end())
      throw ApiError("InvalidParameterValue", "'" + resource + "' is not a valid taggable resource type for this operation.");
    if (!one.contains("Tags")) throw ApiError("InvalidParameterValue", "Tag specification must have at least one tag");
    check_tags(one["Tags"]);
    if (resource != type) continue;
    for (json tag : one["Tags"]) {
      if (!tag.contains("Value")) tag["Value"] = "";
      out.push_back(std::move(tag));
    }
  }
  return out;
}

json& tags_of(json& object) { return object[object.contains("NetworkInterfaceId") && !object.contains("AssociationId") ? "TagSet" : "Tags"]; }

const json& tags_of(const json& object) {
  static const json kNone = json::array();
  for (const char* member : {"Tags", "TagSet"}) {
    if (const auto found = object.find(member); found != object.end()) return *found;
  }
  return kNone;
}

bool well_formed_id(const std::string& id, const std::string& prefix) {
  const std::string digits = id.starts_with(prefix) ? id.substr(prefix.size()) : "";
  return (digits.size() == 8 || digits.size() == 17) && digits.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string new_id(const std::string& prefix) { return prefix + "0" + random_hex(16); }

json& find_object(Ec2Call& call, const std::string& table, const std::string& id) {
  const ResourceKind& kind = kind_of(table);
  if (!kind.prefix.empty() && !well_formed_id(id, kind.prefix)) throw malformed(kind, id);
  const auto found = call.region[table].find(id);
  if (found == call.region[table].end()) throw not_found(kind, id);
  return found->second;
}

std::vector<std::string> once_per_token(Ec2Call& call, const std::function<std::vector<std::string>()>& make) {
  const std::string token = call.text("ClientToken");
  if (token.empty()) return make();
  if (token.size() > 64) throw ApiError("InvalidParameterValue", "ClientToken is longer than 64 characters");
  json parameters = call.in;
  parameters.erase("ClientToken");
  Table& tokens = call.region["_tokens"];
  const std::string key = call.operation.name + "|" + token;
  if (const auto found = tokens.find(key); found != tokens.end()) {
    if (found->second["parameters"] != parameters)
      throw ApiError("IdempotentParameterMismatch",
                     "The client token you have provided is associated with a resource that was made with other parameters");
    return found->second["ids"].get<std::vector<std::string>>();
  }
  const auto ids = make();
  tokens[key] = {{"parameters", parameters}, {"ids", ids}};
  return ids;
}

}  // namespace icelab
