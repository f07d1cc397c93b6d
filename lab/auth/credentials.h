// Who holds which access key, and what he may do.
#pragma once

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "auth/policy.h"
#include "util/clock.h"

namespace icelab {

struct Principal {
  std::string arn;
  std::string user_id;
  std::string account;
  // Each list must allow; a list that is absent does. A session has its role's and perhaps its own.
  std::vector<std::vector<nlohmann::json>> policy_sets;

  // The first denial, or allowed.
  Decision may(const AccessRequest& request) const;
};

struct Credential {
  std::string access_key;
  std::string secret;
  std::string token;  // empty for long-lived keys
  std::optional<Millis> expiration;
  Principal principal;
};

// Safe for many threads: STS adds sessions while others look keys up.
class CredentialStore {
 public:
  // From world.json's "principals".
  explicit CredentialStore(const nlohmann::json& principals);

  std::optional<Credential> find(const std::string& access_key) const;
  void add(Credential credential);
  // Gives all keys of a principal other policies (null: everything is allowed); false for an unknown ARN.
  bool set_policies(const std::string& arn, const nlohmann::json& policies);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Credential> by_key_;
};

std::vector<std::vector<nlohmann::json>> policy_sets_of(const nlohmann::json& holder);

}  // namespace icelab
