#include "workstation/down.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "workstation/access.h"
#include "workstation/copies.h"
#include "workstation/resources.h"

namespace icecore::workstation {
namespace {

/// The ledger's things by kind, and what a killed run may have left in the account under its tag.
std::string subject_of(const Item& item, const std::vector<aws::Volume>& volumes) {
  if (item.kind == "instance") return std::string(kInstanceSubject);
  if (item.kind == "security-group") return std::string(kGroupSubject);
  if (item.kind == "key-pair") return std::string(kKeySubject);
  if (item.kind == "role") return std::string(kRoleSubject);
  if (item.kind == "instance-profile") return std::string(kProfileSubject);
  for (const aws::Volume& volume : volumes)
    if (volume.id == item.id) return aws::tag_value(volume.tags, "icecore:subject");
  return "";
}

bool is_listed(const std::vector<Item>& items, std::string_view id) { return std::ranges::find(items, id, &Item::id) != items.end(); }

// A role, a profile or a key whose making was in flight when a run died: their names say whose they are.
Result<void> add_unfinished(CaseAccount& account, std::vector<Item>& items) {
  const std::string name = account.resource_name();
  if (is_unfinished(account, kProfileSubject)) {
    ICECORE_ASSIGN(const auto profile, plain(account.iam().instance_profile(name)));
    if (profile) items.push_back({"instance-profile", name, "", "", "", 0.0});
  }
  if (is_unfinished(account, kRoleSubject)) {
    ICECORE_ASSIGN(const auto tags, plain(account.iam().role_tags(account.role_name())));
    if (tags) items.push_back({"role", account.role_name(), "", "", "", 0.0});
  }
  if (is_unfinished(account, kKeySubject)) {
    ICECORE_ASSIGN(const auto keys, account.keys());
    for (const aws::KeyPair& key : keys)
      if (!is_listed(items, key.id)) items.push_back({"key-pair", key.id, "", "", "", 0.0});
  }
  return {};
}

Result<void> wait_until_terminated(CaseAccount& account, const std::string& id, Patience patience) {
  account.workspace().progress().begin("waiting for the workstation to be gone", 0, "s");
  Waiting waiting(account.workspace(), patience);
  while (true) {
    auto found = account.ec2().describe_instances({.ids = {id}});
    if (!found && found.error().code != Code::kNotFound) return Failure(static_cast<const Error&>(found.error()));
    if (!found || found->items.empty() || found->items.front().state == "terminated") break;
    ICECORE_CHECK(waiting.pause(fmt::format("{} is still {}", id, found->items.front().state), "run the same command again"));
  }
  account.workspace().progress().end();
  return {};
}

Result<void> remove_group(CaseAccount& account, const std::string& id, Patience patience) {
  return remove_once(account, "security-group", id, [&]() -> aws::CallResult<void> {
    Waiting waiting(account.workspace(), patience);
    while (true) {
      auto deleted = account.ec2().delete_security_group(id);
      if (deleted) return {};
      // The interface of an instance that was terminated a moment ago still uses it.
      if (deleted.error().aws_code != "DependencyViolation") return aws::CallFailure(std::move(deleted).error());
      ICECORE_CHECK(waiting.pause(fmt::format("the security group {} is still used", id),
                                  "something else uses it: aws ec2 describe-network-interfaces --filters Name=group-id,Values=" + id + " finds it"));
    }
  });
}

Result<void> remove_profile(CaseAccount& account, const std::string& name) {
  return remove_once(account, "instance-profile", name, [&]() -> aws::CallResult<void> {
    const auto there = account.iam().instance_profile(name);
    if (!there) return aws::CallFailure(there.error());
    if (!*there) return {};
    if (!(*there)->role.empty()) {
      if (auto taken = account.iam().remove_role(name, (*there)->role); !taken) return taken;
    }
    return account.iam().delete_instance_profile(name);
  });
}

Result<void> remove_role(CaseAccount& account, const std::string& name) {
  return remove_once(account, "role", name, [&]() -> aws::CallResult<void> {
    const auto there = account.iam().role_tags(name);
    if (!there) return aws::CallFailure(there.error());
    if (!*there) return {};
    if (auto detached = account.iam().detach_role_policy(name, kManagedPolicy); !detached) return detached;
    return account.iam().delete_role(name);
  });
}

Result<void> remove(CaseAccount& account, const Item& item, Detach detach, Patience patience) {
  if (item.kind == "instance") {
    const auto terminate = [&] { return account.ec2().terminate_instances({item.id}).map([](const auto&) {}); };
    ICECORE_CHECK(remove_once(account, item.kind, item.id, terminate));
    return wait_until_terminated(account, item.id, patience);
  }
  if (item.kind == "volume") return remove_copy_volume(account, item.id, detach, patience);
  if (item.kind == "security-group") return remove_group(account, item.id, patience);
  if (item.kind == "key-pair")
    return remove_once(account, item.kind, item.id, [&] { return account.ec2().delete_key_pair(item.id).map([](const auto&) {}); });
  if (item.kind == "instance-profile") return remove_profile(account, item.id);
  if (item.kind == "role") return remove_role(account, item.id);
  return fail(Code::kInternal, "a resource of a kind that is not known: " + item.kind);
}

int rank(const std::string& kind) {
  constexpr std::array<std::string_view, 6> kOrder = {"instance", "volume", "security-group", "key-pair", "instance-profile", "role"};
  return static_cast<int>(std::ranges::find(kOrder, kind) - kOrder.begin());
}

/// What the ledger made and the account has no more (terminated by somebody, a volume that went with its instance).
Result<void> note_what_is_gone(CaseAccount& account, const std::vector<Item>& present) {
  for (const evidence::ResourceRecord& one : standing(account)) {
    const bool of_workstation = rank(one.kind) < 3;  // the others are asked for by name when they are removed
    if (!of_workstation || is_listed(present, one.id)) continue;
    ICECORE_CHECK(remove_once(account, one.kind, one.id, []() -> aws::CallResult<void> { return {}; }));
  }
  return {};
}

}  // namespace

Result<Removed> plan_down(CaseAccount& account) {
  Removed plan;
  ICECORE_ASSIGN(Status now, status(account));
  ICECORE_CHECK(add_unfinished(account, now.items));
  ICECORE_ASSIGN(const auto volumes, account.volumes());
  for (const Item& item : now.items) {
    if (item.evidence) {
      plan.left.push_back(item);
    } else if (is_ours(account, item.id, subject_of(item, volumes))) {
      plan.removed.push_back(item);
    } else {
      plan.not_ours.push_back(item);
    }
  }
  std::ranges::stable_sort(plan.removed, {}, [](const Item& item) { return rank(item.kind); });
  return plan;
}

Result<Removed> down(CaseAccount& account, const DownOptions& options) {
  ICECORE_ASSIGN(Removed plan, plan_down(account));
  std::vector<Item> present = plan.removed;
  present.insert(present.end(), plan.not_ours.begin(), plan.not_ours.end());
  ICECORE_CHECK(note_what_is_gone(account, present));
  // With the workstation its copies are let go by EC2; without one, somebody has them elsewhere.
  const bool instance = std::ranges::find(plan.removed, "instance", &Item::kind) != plan.removed.end();
  for (const Item& item : plan.removed) {
    account.workspace().say(fmt::format("removing {} {}", item.kind, item.id));
    ICECORE_CHECK(remove(account, item, instance ? Detach::kWait : Detach::kAsk, options.patience));
  }
  ICECORE_CHECK(conclude_unfinished(account));
  return plan;
}

}  // namespace icecore::workstation
