// `icecore policy`: the least IAM policy for commands. No wildcard in an action; what changes the account is bound to the case's tag, on the request
// where something is made and on the resource where it exists (docs.aws.amazon.com/service-authorization: actions, resource types, condition keys).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"

namespace icecore::engine {

struct PolicyRequest {
  std::vector<std::string> commands;  ///< empty: all
  std::string case_id;                ///< bind to this case; empty: to any case's tag
  bool kms = false;                   ///< also what snapshots encrypted with a customer key need
};

/// kInvalidArgument for an unknown command.
Result<OrderedJson> policy_document(const PolicyRequest& request);

}  // namespace icecore::engine
