// IAM policy evaluation: identity policies, Allow and Deny, wildcards and the usual conditions.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace icelab {

// What is asked: may this action be done to this resource in these circumstances?
struct AccessRequest {
  std::string action;                                       // "ec2:CreateSnapshots"
  std::string resource;                                     // an ARN, or "*"
  std::map<std::string, std::vector<std::string>> context;  // condition keys, lower case
};

enum class Decision { allowed, implicitly_denied, explicitly_denied };

// An explicit Deny beats any Allow; what no statement allows is denied.
Decision evaluate(const std::vector<nlohmann::json>& policies, const AccessRequest& request);

// Says what the lab cannot evaluate in a policy (unknown operator or element), or nothing. A policy that is
// half understood would let tests pass that AWS would refuse, so such a world does not load.
std::string policy_problem(const nlohmann::json& policy);

}  // namespace icelab
