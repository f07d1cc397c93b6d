#include <arpa/inet.h>
#include <algorithm>

#include "ec2/describe.h"
#include "ec2/handlers.h"
#include "ec2/kinds.h"
#include "util/digest.h"

namespace icelab {
namespace {

constexpr const char* kRanges[] = {"IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"};

// Rules have no ids in a group's permissions; the same rule of a group always gets the same one.
std::string rule_id(const std::string& group, bool egress, const json& rule) {
  return "sgr-0" + hex_encode(sha256(group + (egress ? "<" : ">") + rule.dump())).substr(0, 16);
}

// One rule for each range of each permission, as DescribeSecurityGroupRules has them.
json rules_of(const json& group, const std::string& account) {
  json out = json::array();
  for (const bool egress : {false, true}) {
    for (const json& permission : group.value(egress ? "IpPermissionsEgress" : "IpPermissions", json::array())) {
      for (const char* ranges : kRanges) {
        for (const json& range : permission.value(ranges, json::array())) {
          json rule = {{"GroupId", group["GroupId"]},
                       {"GroupOwnerId", group.value("OwnerId", account)},
                       {"IsEgress", egress},
                       {"IpProtocol", permission.value("IpProtocol", "-1")},
                       {"FromPort", permission.value("FromPort", -1)},
                       {"ToPort", permission.value("ToPort", -1)}};
          if (range.contains("CidrIp")) rule["CidrIpv4"] = range["CidrIp"];
          if (range.contains("CidrIpv6")) rule["CidrIpv6"] = range["CidrIpv6"];
          if (range.contains("PrefixListId")) rule["PrefixListId"] = range["PrefixListId"];
          if (range.contains("GroupId")) rule["ReferencedGroupInfo"] = {{"GroupId", range["GroupId"]}, {"UserId", range.value("UserId", account)}};
          rule["SecurityGroupRuleId"] = rule_id(group["GroupId"], egress, rule);
          if (range.contains("Description")) rule["Description"] = range["Description"];
          out.push_back(std::move(rule));
        }
      }
    }
  }
  return out;
}

// The old flat parameters are one permission.
json permissions_of(const Ec2Call& call) {
  json out = call.list("IpPermissions");
  if (!call.in.contains("IpProtocol") && !call.in.contains("CidrIp")) return out;
  json flat = {{"IpProtocol", call.text("IpProtocol", "-1")}};
  for (const char* port : {"FromPort", "ToPort"}) {
    if (call.in.contains(port)) flat[port] = call.in[port];
  }
  if (call.in.contains("CidrIp")) flat["IpRanges"] = json::array({json{{"CidrIp", call.in["CidrIp"]}}});
  out.push_back(std::move(flat));
  return out;
}

bool is_ipv6_cidr(const std::string& cidr) {
  const std::size_t slash = cidr.find('/');
  in6_addr address{};
  if (slash == std::string::npos || ::inet_pton(AF_INET6, cidr.substr(0, slash).c_str(), &address) != 1) return false;
  const std::string bits = cidr.substr(slash + 1);
  return !bits.empty() && bits.size() <= 3 && bits.find_first_not_of("0123456789") == std::string::npos && std::stoi(bits) <= 128;
}

void check_permission(const json& permission) {
  const std::string protocol = permission.value("IpProtocol", "");
  if (protocol.empty()) throw ApiError("MissingParameter", "The request must contain the parameter ipProtocol");
  if ((protocol == "tcp" || protocol == "udp") && (!permission.contains("FromPort") || !permission.contains("ToPort")))
    throw ApiError("InvalidParameterValue", "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.");
  for (const json& range : permission.value("IpRanges", json::array())) {
    const std::string cidr = range.value("CidrIp", "");
    if (cidr.find('/') == std::string::npos || cidr.find_first_not_of("0123456789./") != std::string::npos)
      throw ApiError("InvalidParameterValue", "CIDR block " + cidr + " is malformed");
  }
  for (const json& range : permission.value("Ipv6Ranges", json::array())) {
    const std::string cidr = range.value("CidrIpv6", "");
    if (!is_ipv6_cidr(cidr)) throw ApiError("InvalidParameterValue", "CIDR block " + cidr + " is malformed");
  }
}

// A permission for each single range, so that ranges can be compared and taken out one by one.
std::vector<json> single_ranges(const json& permissions) {
  std::vector<json> out;
  for (const json& permission : permissions) {
    json head = permission;
    for (const char* ranges : kRanges) head.erase(ranges);
    for (const char* ranges : kRanges) {
      for (const json& range : permission.value(ranges, json::array())) {
        json one = head;
        one[ranges] = json::array({range});
        out.push_back(std::move(one));
      }
    }
  }
  return out;
}

bool same_rule(json a, json b) {
  for (json* side : {&a, &b}) {
    for (const char* ranges : kRanges) {
      if (side->contains(ranges) && !(*side)[ranges].empty()) (*side)[ranges][0].erase("Description");
    }
  }
  return a == b;
}

json& addressed(Ec2Call& call) {
  json* group = nullptr;
  const std::string name = call.text("GroupName");
  if (call.in.contains("GroupId")) {
    group = &find_object(call, "security_groups", call.text("GroupId"));
  } else {
    for (auto& [id, one] : call.region["security_groups"]) {
      if (one.value("GroupName", "") == name) group = &one;
    }
  }
  if (group == nullptr) throw not_found(kind_of("security_groups"), name);
  call.permit({{"security-group", (*group)["GroupId"], tags_of(std::as_const(*group)), false, {}}});
  return *group;
}

const char* member_of(bool egress) { return egress ? "IpPermissionsEgress" : "IpPermissions"; }

json authorize(Ec2Call& call, bool egress) {
  json& group = addressed(call);
  const json permissions = permissions_of(call);
  if (permissions.empty()) throw ApiError("MissingParameter", "The request must contain the parameter ipPermissions");
  for (const json& permission : permissions) check_permission(permission);
  std::vector<json> present = single_ranges(group[member_of(egress)].is_array() ? group[member_of(egress)] : json::array());
  for (const json& one : single_ranges(permissions)) {
    for (const json& old : present) {
      if (same_rule(old, one)) throw ApiError("InvalidPermission.Duplicate", "the specified rule already exists");
    }
    present.push_back(one);
  }
  const json before = rules_of(group, call.world.account);
  group[member_of(egress)] = present;
  json added = json::array();
  for (const json& rule : rules_of(group, call.world.account)) {
    if (std::find(before.begin(), before.end(), rule) == before.end()) added.push_back(rule);
  }
  return {{"Return", true}, {"SecurityGroupRules", std::move(added)}};
}

json revoke(Ec2Call& call, bool egress) {
  json& group = addressed(call);
  const json ids = call.list("SecurityGroupRuleIds");
  std::vector<json> kept;
  const auto unwanted = single_ranges(permissions_of(call));
  std::size_t removed = 0;
  for (const json& old : single_ranges(group.value(member_of(egress), json::array()))) {
    const json alone = {
        {"GroupId", group["GroupId"]}, {"OwnerId", group.value("OwnerId", call.world.account)}, {member_of(egress), json::array({old})}};
    const std::string id = rules_of(alone, call.world.account)[0]["SecurityGroupRuleId"];
    const bool goes = std::find(ids.begin(), ids.end(), id) != ids.end() ||
                      std::any_of(unwanted.begin(), unwanted.end(), [&](const json& one) { return same_rule(one, old); });
    if (goes) {
      ++removed;
    } else {
      kept.push_back(old);
    }
  }
  if (removed == 0) throw ApiError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
  group[member_of(egress)] = kept;
  return {{"Return", true}};
}

}  // namespace

json describe_security_group_rules(Ec2Call& call) {
  static const FilterTable kFilters = {{"group-id", "GroupId"}, {"security-group-rule-id", "SecurityGroupRuleId"}};
  check_filters(call.list("Filters"), kFilters);
  const json ids = call.list("SecurityGroupRuleIds");
  json list = json::array();
  for (const auto& [id, group] : call.region["security_groups"]) {
    for (const json& rule : rules_of(group, call.world.account)) {
      const bool wanted = ids.empty() || std::find(ids.begin(), ids.end(), rule["SecurityGroupRuleId"]) != ids.end();
      if (wanted && matches_filters(rule, call.list("Filters"), kFilters)) list.push_back(rule);
    }
  }
  return {{"SecurityGroupRules", std::move(list)}};
}

json create_security_group(Ec2Call& call) {
  const std::string name = call.text("GroupName");
  const std::string vpc = call.text("VpcId");
  if (!vpc.empty()) find_object(call, "vpcs", vpc);
  const json tags = tags_for(call, "security-group", {"security-group"});
  std::vector<Resource> resources = {{"security-group", "*", json::array(), true, {}}};
  if (!vpc.empty()) resources.push_back({"vpc", vpc, tags_of(std::as_const(find_object(call, "vpcs", vpc))), false, {}});
  call.permit(resources);
  if (name.starts_with("sg-"))
    throw ApiError("InvalidParameterValue", "Value (" + name + ") for parameter GroupName is invalid. Group names may not be in the format sg-*.");
  for (const auto& [id, group] : call.region["security_groups"]) {
    if (group.value("GroupName", "") == name && group.value("VpcId", "") == vpc)
      throw ApiError("InvalidGroup.Duplicate", "The security group '" + name + "' already exists for VPC '" + vpc + "'");
  }
  json group = {{"GroupId", new_id("sg-")},
                {"GroupName", name},
                {"Description", call.text("Description")},
                {"OwnerId", call.world.account},
                {"IpPermissions", json::array()}};
  if (!vpc.empty()) group["VpcId"] = vpc;
  // A new group lets everything out.
  group["IpPermissionsEgress"] = json::array({json{{"IpProtocol", "-1"}, {"IpRanges", json::array({json{{"CidrIp", "0.0.0.0/0"}}})}}});
  if (!tags.empty()) group["Tags"] = tags;
  const std::string id = group["GroupId"];
  call.region["security_groups"][id] = std::move(group);
  return {{"GroupId", id}, {"Tags", tags}};
}

json delete_security_group(Ec2Call& call) {
  const std::string id = addressed(call)["GroupId"];
  for (const char* table : {"instances", "network_interfaces"}) {
    for (const auto& [user, object] : call.region[table]) {
      const auto used = values_at(object, std::string(table) == "instances" ? "SecurityGroups.GroupId" : "Groups.GroupId");
      const bool gone = object.value("State", json::object()).is_object() && object.value("State", json::object()).value("Name", "") == "terminated";
      if (!gone && std::find(used.begin(), used.end(), id) != used.end())
        throw ApiError("DependencyViolation", "resource " + id + " has a dependent object");
    }
  }
  call.region["security_groups"].erase(id);
  return {{"Return", true}, {"GroupId", id}};
}

json authorize_ingress(Ec2Call& call) { return authorize(call, false); }
json authorize_egress(Ec2Call& call) { return authorize(call, true); }
json revoke_ingress(Ec2Call& call) { return revoke(call, false); }
json revoke_egress(Ec2Call& call) { return revoke(call, true); }

}  // namespace icelab
