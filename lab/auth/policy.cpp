#include "auth/policy.h"

#include <algorithm>
#include <set>

#include "auth/condition.h"
#include "util/encoding.h"

namespace icelab {
namespace {

using nlohmann::json;

std::vector<std::string> strings(const json& value) {
  if (value.is_string()) return {value.get<std::string>()};
  std::vector<std::string> out;
  if (value.is_array()) {
    for (const json& item : value) {
      if (item.is_string()) out.push_back(item.get<std::string>());
    }
  }
  return out;
}

bool any_action(const json& patterns, const std::string& action) {
  const auto list = strings(patterns);
  return std::any_of(list.begin(), list.end(), [&](const std::string& p) { return wildcard_match(lowercase(p), lowercase(action)); });
}

bool any_resource(const json& patterns, const AccessRequest& request) {
  const auto list = strings(patterns);
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& p) { return wildcard_match(substitute_variables(p, request.context), request.resource); });
}

bool applies(const json& statement, const AccessRequest& request) {
  if (statement.contains("Action") && !any_action(statement["Action"], request.action)) return false;
  if (statement.contains("NotAction") && any_action(statement["NotAction"], request.action)) return false;
  if (statement.contains("Resource") && !any_resource(statement["Resource"], request)) return false;
  if (statement.contains("NotResource") && any_resource(statement["NotResource"], request)) return false;
  return !statement.contains("Condition") || condition_holds(statement["Condition"], request.context);
}

std::vector<json> statements_of(const json& policy) {
  const json& statement = policy.at("Statement");
  if (statement.is_array()) return {statement.begin(), statement.end()};
  return {statement};
}

}  // namespace

Decision evaluate(const std::vector<json>& policies, const AccessRequest& request) {
  Decision decision = Decision::implicitly_denied;
  for (const json& policy : policies) {
    for (const json& statement : statements_of(policy)) {
      if (!applies(statement, request)) continue;
      if (statement["Effect"] == "Deny") return Decision::explicitly_denied;
      decision = Decision::allowed;
    }
  }
  return decision;
}

std::string policy_problem(const json& policy) {
  static const std::set<std::string> kElements = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"};
  if (!policy.is_object() || !policy.contains("Statement")) return "a policy needs a Statement";
  if (!policy["Statement"].is_array() && !policy["Statement"].is_object()) return "Statement is neither object nor list";
  for (const json& statement : statements_of(policy)) {
    if (!statement.is_object()) return "a statement is not an object";
    for (const auto& [name, value] : statement.items()) {
      if (!kElements.contains(name)) return "unknown policy element " + name;
    }
    const std::string effect = statement.value("Effect", "");
    if (effect != "Allow" && effect != "Deny") return "Effect must be Allow or Deny";
    if (statement.contains("Action") == statement.contains("NotAction")) return "a statement needs Action or NotAction";
    if (statement.contains("Resource") == statement.contains("NotResource")) return "a statement needs Resource or NotResource";
    if (statement.contains("Condition")) {
      if (const std::string problem = condition_problem(statement["Condition"]); !problem.empty()) return problem;
    }
  }
  return {};
}

}  // namespace icelab
