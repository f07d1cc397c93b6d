#include "auth/credentials.h"

namespace icelab {

using nlohmann::json;

Decision Principal::may(const AccessRequest& request) const {
  for (const auto& policies : policy_sets) {
    const Decision decision = evaluate(policies, request);
    if (decision != Decision::allowed) return decision;
  }
  return Decision::allowed;
}

std::vector<std::vector<json>> policy_sets_of(const json& holder) {
  const auto found = holder.find("_policies");
  if (found == holder.end()) return {};
  return {std::vector<json>(found->begin(), found->end())};
}

CredentialStore::CredentialStore(const json& principals) {
  for (const json& one : principals) {
    const Principal principal{one.value("Arn", ""), one.value("UserId", ""), one.value("Account", ""), policy_sets_of(one)};
    for (const json& key : one.value("_access_keys", json::array())) {
      Credential credential{key.value("AccessKeyId", ""), key.value("SecretAccessKey", ""), key.value("SessionToken", ""), std::nullopt, principal};
      if (key.contains("Expiration")) credential.expiration = parse_iso8601(key["Expiration"].get<std::string>());
      add(std::move(credential));
    }
  }
}

std::optional<Credential> CredentialStore::find(const std::string& access_key) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(access_key);
  if (found == by_key_.end()) return std::nullopt;
  return found->second;
}

bool CredentialStore::set_policies(const std::string& arn, const json& policies) {
  const std::lock_guard lock(mutex_);
  bool known = false;
  for (auto& [key, credential] : by_key_) {
    if (credential.principal.arn != arn) continue;
    credential.principal.policy_sets.clear();
    if (policies.is_array()) credential.principal.policy_sets.emplace_back(policies.begin(), policies.end());
    known = true;
  }
  return known;
}

void CredentialStore::add(Credential credential) {
  const std::lock_guard lock(mutex_);
  by_key_[credential.access_key] = std::move(credential);
}

}  // namespace icelab
