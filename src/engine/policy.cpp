#include "engine/policy.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/text.h"
#include "engine/command_calls.h"

namespace icecore::engine {
namespace {

enum class Bound {
  kNot,       ///< reading, or a resource that is not the case's own
  kRequest,   ///< made with the case's tag
  kResource,  ///< carries the case's tag
  kPassRole,
  kSsmPolicy,  ///< only this one policy may be attached or detached
};

/// What one action may be done to. `resources`: types of EC2 ("snapshot"), or an ARN.
struct Grant {
  std::string_view action;
  std::string_view resources;
  Bound bound;
};

constexpr std::array kGrants = {
    Grant{"ec2:CreateSnapshots", "instance volume", Bound::kNot},
    Grant{"ec2:CreateSnapshots", "snapshot", Bound::kRequest},
    Grant{"ec2:CreateSnapshot", "volume", Bound::kNot},
    Grant{"ec2:CreateSnapshot", "snapshot", Bound::kRequest},
    // The new snapshot's ARN ends in /*, the source's in its id: the tag binds the one and not the other.
    Grant{"ec2:CopySnapshot", "snapshot", Bound::kRequest},
    Grant{"ec2:CopySnapshot", "arn:aws:ec2:*::snapshot/snap-*", Bound::kNot},
    Grant{"ec2:CreateVolume", "volume", Bound::kRequest},
    Grant{"ec2:CreateVolume", "snapshot", Bound::kNot},
    Grant{"ec2:AttachVolume", "volume instance", Bound::kResource},
    Grant{"ec2:DetachVolume", "volume instance", Bound::kResource},
    Grant{"ec2:DeleteVolume", "volume", Bound::kResource},
    Grant{"ec2:RunInstances", "instance volume network-interface", Bound::kRequest},
    Grant{"ec2:RunInstances", "security-group", Bound::kResource},
    Grant{"ec2:RunInstances", "image subnet key-pair snapshot", Bound::kNot},
    Grant{"ec2:TerminateInstances", "instance", Bound::kResource},
    Grant{"ec2:CreateSecurityGroup", "security-group", Bound::kRequest},
    Grant{"ec2:CreateSecurityGroup", "vpc", Bound::kNot},
    Grant{"ec2:DeleteSecurityGroup", "security-group", Bound::kResource},
    Grant{"ec2:AuthorizeSecurityGroupIngress", "security-group", Bound::kResource},
    Grant{"ec2:AuthorizeSecurityGroupEgress", "security-group", Bound::kResource},
    Grant{"ec2:RevokeSecurityGroupEgress", "security-group", Bound::kResource},
    Grant{"ec2:ImportKeyPair", "key-pair", Bound::kRequest},
    Grant{"ec2:DeleteKeyPair", "key-pair", Bound::kResource},
    Grant{"ec2:ModifySnapshotAttribute", "snapshot", Bound::kResource},
    Grant{"ec2:LockSnapshot", "snapshot", Bound::kResource},
    Grant{"iam:CreateRole", "arn:aws:iam::*:role/icecore-*", Bound::kRequest},
    Grant{"iam:TagRole", "arn:aws:iam::*:role/icecore-*", Bound::kRequest},
    Grant{"iam:AttachRolePolicy", "arn:aws:iam::*:role/icecore-*", Bound::kSsmPolicy},
    Grant{"iam:DetachRolePolicy", "arn:aws:iam::*:role/icecore-*", Bound::kSsmPolicy},
    Grant{"iam:DeleteRole", "arn:aws:iam::*:role/icecore-*", Bound::kResource},
    Grant{"iam:GetRole", "arn:aws:iam::*:role/icecore-*", Bound::kNot},
    Grant{"iam:PassRole", "arn:aws:iam::*:role/icecore-*", Bound::kPassRole},
    Grant{"iam:GetInstanceProfile", "arn:aws:iam::*:instance-profile/icecore-*", Bound::kNot},
    Grant{"iam:CreateInstanceProfile", "arn:aws:iam::*:instance-profile/icecore-*", Bound::kRequest},
    Grant{"iam:TagInstanceProfile", "arn:aws:iam::*:instance-profile/icecore-*", Bound::kRequest},
    Grant{"iam:AddRoleToInstanceProfile", "arn:aws:iam::*:instance-profile/icecore-*", Bound::kResource},
    Grant{"iam:RemoveRoleFromInstanceProfile", "arn:aws:iam::*:instance-profile/icecore-*", Bound::kResource},
    Grant{"iam:DeleteInstanceProfile", "arn:aws:iam::*:instance-profile/icecore-*", Bound::kResource},
    Grant{"ssm:GetParameter", "arn:aws:ssm:*::parameter/aws/service/*", Bound::kNot},
    Grant{"ssm:SendCommand", "arn:aws:ssm:*::document/AWS-RunShellScript", Bound::kNot},
    Grant{"ssm:SendCommand", "instance", Bound::kResource},
    Grant{"ebs:StartSnapshot", "snapshot", Bound::kRequest},
    Grant{"ebs:PutSnapshotBlock", "snapshot", Bound::kResource},
    Grant{"ebs:CompleteSnapshot", "snapshot", Bound::kResource},
    Grant{"ebs:ListSnapshotBlocks", "snapshot", Bound::kNot},
    Grant{"ebs:GetSnapshotBlock", "snapshot", Bound::kNot},
    Grant{"ebs:ListChangedBlocks", "snapshot", Bound::kNot},
};

/// Which resource types each action tags when it makes them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kTagged = {{{"CreateSnapshots", "snapshot"},
                                                                                   {"StartSnapshot", "snapshot"},
                                                                                   {"CreateSnapshot", "snapshot"},
                                                                                   {"CopySnapshot", "snapshot"},
                                                                                   {"CreateVolume", "volume"},
                                                                                   {"RunInstances", "instance volume network-interface"},
                                                                                   {"CreateSecurityGroup", "security-group"},
                                                                                   {"ImportKeyPair", "key-pair"}}};

constexpr std::string_view kSsmPolicyArn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";

std::string arn_of(std::string_view resource) {
  if (resource.starts_with("arn:")) return std::string(resource);
  const bool of_anyone = resource == "snapshot" || resource == "image";
  return fmt::format("arn:aws:ec2:*:{}:{}/*", of_anyone ? "" : "*", resource);
}

OrderedJson condition_of(Bound bound, const PolicyRequest& request) {
  // Every case's id begins so; a policy for one case names it.
  const std::string id = request.case_id.empty() ? "case-*" : request.case_id;
  switch (bound) {
    case Bound::kNot: return nullptr;
    case Bound::kRequest: return {{"StringLike", {{"aws:RequestTag/icecore:case", id}}}};
    case Bound::kResource: return {{"StringLike", {{"aws:ResourceTag/icecore:case", id}}}};
    case Bound::kPassRole:
      return {{"StringLike", {{"aws:ResourceTag/icecore:case", id}}}, {"StringEquals", {{"iam:PassedToService", "ec2.amazonaws.com"}}}};
    case Bound::kSsmPolicy: return {{"StringLike", {{"aws:ResourceTag/icecore:case", id}}}, {"ArnEquals", {{"iam:PolicyARN", kSsmPolicyArn}}}};
  }
  return nullptr;
}

OrderedJson statement(const std::set<std::string>& actions, const std::set<std::string>& resources, const OrderedJson& condition) {
  OrderedJson one = {{"Effect", "Allow"}, {"Action", actions}};
  one["Resource"] = resources.empty() ? OrderedJson("*") : OrderedJson(resources);
  if (!condition.is_null()) one["Condition"] = condition;
  return one;
}

/// Actions with the same resources and condition share a statement.
OrderedJson grant_statements(const std::set<std::string>& actions, const PolicyRequest& request) {
  std::map<std::pair<std::set<std::string>, Bound>, std::set<std::string>> groups;
  for (const std::string& action : actions) {
    bool bound = false;
    for (const Grant& grant : kGrants) {
      if (grant.action != action) continue;
      std::set<std::string> resources;
      for (const std::string_view resource : split_fields(grant.resources)) resources.insert(arn_of(resource));
      groups[{resources, grant.bound}].insert(action);
      bound = true;
    }
    if (!bound) groups[{{}, Bound::kNot}].insert(action);
  }
  OrderedJson statements = OrderedJson::array();
  for (const auto& [key, members] : groups) statements.push_back(statement(members, key.first, condition_of(key.second, request)));
  return statements;
}

void add_tagging(OrderedJson& statements, const std::set<std::string>& actions) {
  std::set<std::string> makers;
  std::set<std::string> resources;
  for (const auto& [maker, types] : kTagged) {
    if (!actions.contains(fmt::format("ec2:{}", maker)) && !actions.contains(fmt::format("ebs:{}", maker))) continue;
    makers.emplace(maker);
    for (const std::string_view type : split_fields(types)) resources.insert(arn_of(type));
  }
  if (makers.empty()) return;
  statements.push_back(statement({"ec2:CreateTags"}, resources, {{"StringEquals", {{"ec2:CreateAction", makers}}}}));
}

void add_kms(OrderedJson& statements, const std::set<std::string>& actions, const PolicyRequest& request) {
  const auto any = [&](std::initializer_list<const char*> some) {
    return std::any_of(some.begin(), some.end(), [&](const char* one) { return actions.contains(one); });
  };
  const std::set<std::string> keys = {"arn:aws:kms:*:*:key/*"};
  if (any({"ebs:GetSnapshotBlock"})) statements.push_back(statement({"kms:Decrypt"}, keys, nullptr));
  if (any({"ebs:PutSnapshotBlock"})) statements.push_back(statement({"kms:GenerateDataKeyWithoutPlaintext"}, keys, nullptr));
  if (any({"ec2:CreateVolume", "ec2:CopySnapshot", "ec2:RunInstances", "ec2:AttachVolume"})) {
    // EC2 uses the key in the caller's name, and only EC2 may.
    const OrderedJson through_ec2 = {{"StringLike", {{"kms:ViaService", "ec2.*.amazonaws.com"}}}};
    statements.push_back(statement({"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"},
                                   keys, through_ec2));
    statements.push_back(statement({"kms:CreateGrant"}, keys, {{"Bool", {{"kms:GrantIsForAWSResource", "true"}}}}));
  }
  if (any({"ec2:CopySnapshot", "ec2:ModifySnapshotAttribute"})) {
    statements.push_back(statement({"kms:DescribeKey", "kms:ListKeys"}, {}, nullptr));
    statements.push_back(statement({"kms:CreateKey", "kms:TagResource"}, {}, condition_of(Bound::kRequest, request)));
    statements.push_back(statement({"kms:CreateAlias"}, {"arn:aws:kms:*:*:alias/icecore-*"}, nullptr));
    statements.push_back(statement({"kms:CreateAlias"}, keys, condition_of(Bound::kResource, request)));
  }
}

/// The action of the call itself, and what is needed beside it whatever the parameters say.
void add_actions(const aws::PlannedCall& call, std::set<std::string>& actions) {
  if (call.operation->service == "kms") return;  // add_kms, where it is asked for
  if (!call.operation->iam_action.empty()) actions.emplace(call.operation->iam_action);
  for (const std::string_view more : split_fields(call.operation->also_needs))
    if (more != "ec2:CreateTags" && !more.starts_with("kms:")) actions.emplace(more);
}

}  // namespace

Result<OrderedJson> policy_document(const PolicyRequest& request) {
  std::set<std::string> actions;
  if (request.commands.empty())
    for (const CommandCalls& command : command_calls())
      for (const aws::PlannedCall& call : command.calls) add_actions(call, actions);
  for (const std::string& name : request.commands) {
    // "workstation" is all of its own commands, "collect" an instance: as the words on the command line are.
    bool found = false;
    for (const CommandCalls& command : command_calls()) {
      if (command.command != name && !(name == "workstation" && command.command.starts_with("workstation "))) continue;
      found = true;
      for (const aws::PlannedCall& call : command.calls) add_actions(call, actions);
    }
    if (!found) ICECORE_CHECK(find_command_calls(name));
  }
  OrderedJson statements = grant_statements(actions, request);
  add_tagging(statements, actions);
  if (request.kms) add_kms(statements, actions, request);
  return OrderedJson{{"Version", "2012-10-17"}, {"Statement", std::move(statements)}};
}

}  // namespace icecore::engine
