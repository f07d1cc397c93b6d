// The Condition block of an IAM policy statement.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace icelab {

using ConditionContext = std::map<std::string, std::vector<std::string>>;

// All operators and all keys must hold; of several values of one key, one.
bool condition_holds(const nlohmann::json& condition, const ConditionContext& context);

// Names the first operator that the lab does not know; empty when it knows them all.
std::string condition_problem(const nlohmann::json& condition);

// ${aws:username} and the like, from the context; a variable without a value stays as it is and matches nothing.
std::string substitute_variables(const std::string& text, const ConditionContext& context);

}  // namespace icelab
