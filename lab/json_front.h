// What every JSON 1.1 service does (CloudTrail, KMS, Systems Manager): the body held against the model, the answer shaped by it.
#pragma once

#include <functional>

#include "lab.h"

namespace icelab {

// `answer` is given the members of the request and gives those of the reply. Throws ApiError for a request that does not fit the model.
Reply serve_json(Call& call, const std::function<nlohmann::json(const nlohmann::json& in)>& answer);

}  // namespace icelab
