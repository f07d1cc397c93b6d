#include "workstation/access.h"

#include <fmt/format.h>
#include <algorithm>

#include "workstation/resources.h"

namespace icecore::workstation {
namespace {

using Ids = std::vector<std::string>;
constexpr int kSshPort = 22;
constexpr int kEverything = 0;

Result<void> set_outbound(CaseAccount& account, const std::string& group, Outbound outbound) {
  if (outbound == Outbound::kAll) return {};  // what a new group has
  const std::vector<int> ports = outbound == Outbound::kWeb ? std::vector<int>{80, 443} : std::vector<int>{};
  for (const int port : ports) ICECORE_CHECK(plain(account.ec2().authorize_egress(group, port, "0.0.0.0/0")));
  ICECORE_CHECK(plain(account.ec2().revoke_egress(group, kEverything, "0.0.0.0/0")));
  return {};
}

Result<void> set_inbound(CaseAccount& account, const std::string& group, const std::string& cidr) {
  for (int round = 0;; ++round) {
    const auto opened = account.ec2().authorize_ingress(group, kSshPort, cidr, "icecore " + account.case_id());
    // A rule is the same however often it is asked for, so an unknown outcome is asked again.
    if (opened || opened.error().aws_code == "InvalidPermission.Duplicate") return {};
    if (!opened.error().outcome_unknown || round == 3) return Failure(static_cast<const Error&>(opened.error()));
  }
}

}  // namespace

Result<std::string> ensure_group(CaseAccount& account, const UpOptions& options, const std::string& vpc) {
  Making making{.kind = "security-group", .subject = std::string(kGroupSubject), .find = nullptr, .create = nullptr};
  making.find = [&]() -> Result<Ids> {
    ICECORE_ASSIGN(const auto groups, account.groups());
    Ids ids;
    for (const aws::SecurityGroup& group : groups)
      if (group.vpc_id == vpc) ids.push_back(group.id);
    return ids;
  };
  making.create = [&](const std::string&, const aws::Tags& tags) -> aws::CallResult<std::string> {
    return account.ec2().create_security_group(account.resource_name(), "icecore workstation of " + account.case_id(), vpc, tags).map([](auto reply) {
      return std::move(reply.value);
    });
  };
  ICECORE_ASSIGN(std::string group, plain(make_once(account, making)));
  ICECORE_CHECK(set_outbound(account, group, options.outbound));
  if (options.inbound) ICECORE_CHECK(set_inbound(account, group, *options.inbound));
  return group;
}

Result<std::string> ensure_profile(CaseAccount& account, const UpOptions& options) {
  if (!options.systems_manager) return std::string();
  if (options.profile) return *options.profile;
  const std::string name = account.resource_name();
  const std::string role_name = account.role_name();
  Making role{.kind = "role", .subject = std::string(kRoleSubject), .find = nullptr, .create = nullptr};
  role.find = [&]() -> Result<Ids> {
    ICECORE_ASSIGN(const auto tags, plain(account.iam().role_tags(role_name)));
    return tags ? Ids{role_name} : Ids{};
  };
  role.create = [&](const std::string&, const aws::Tags& tags) -> aws::CallResult<std::string> {
    ICECORE_CALL([[maybe_unused]] const auto done,
                 account.iam().create_role(role_name, "icecore workstation of " + account.case_id(), tags).map([] { return 0; }));
    return role_name;
  };
  ICECORE_CHECK(plain(make_once(account, role)));
  ICECORE_CHECK(plain(account.iam().attach_role_policy(role_name, kManagedPolicy)));
  std::optional<aws::InstanceProfile> there;
  Making profile{.kind = "instance-profile", .subject = std::string(kProfileSubject), .find = nullptr, .create = nullptr};
  profile.find = [&]() -> Result<Ids> {
    ICECORE_ASSIGN(there, plain(account.iam().instance_profile(name)));
    return there ? Ids{name} : Ids{};
  };
  profile.create = [&](const std::string&, const aws::Tags& tags) -> aws::CallResult<std::string> {
    ICECORE_CALL([[maybe_unused]] const auto done, account.iam().create_instance_profile(name, tags).map([] { return 0; }));
    return name;
  };
  ICECORE_CHECK(plain(make_once(account, profile)));
  if (!there || there->role.empty()) ICECORE_CHECK(plain(account.iam().add_role(name, role_name)));
  return name;
}

Result<std::string> ensure_key(CaseAccount& account, const UpOptions& options) {
  if (options.key_pair) return *options.key_pair;
  if (!options.public_key) return std::string();
  Making making{.kind = "key-pair", .subject = std::string(kKeySubject), .find = nullptr, .create = nullptr};
  making.find = [&]() -> Result<Ids> {
    ICECORE_ASSIGN(const auto keys, account.keys());
    Ids ids;
    for (const aws::KeyPair& key : keys) ids.push_back(key.id);
    return ids;
  };
  making.create = [&](const std::string&, const aws::Tags& tags) -> aws::CallResult<std::string> {
    return account.ec2().import_key_pair(account.resource_name(), *options.public_key, tags).map([](auto reply) { return std::move(reply.value); });
  };
  ICECORE_CHECK(plain(make_once(account, making)));
  return account.resource_name();
}

}  // namespace icecore::workstation
