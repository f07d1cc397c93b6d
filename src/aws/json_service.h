// Services that speak JSON 1.1 (Systems Manager, KMS): one generic call. Members are those of the service models.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "aws/call.h"
#include "core/json.h"

namespace icecore::aws {

/// Thread-safe. `executor` outlives it.
class JsonService {
 public:
  JsonService(CallExecutor& executor, std::string origin, std::string region, std::string_view service, std::string_view target)
      : executor_(executor), origin_(std::move(origin)), region_(std::move(region)), service_(service), target_(target) {}

  /// One request, one object. `shown`: what the ledger may hold of the input, where that is not all of it.
  CallResult<Json> call(std::string_view action, const Json& input, const Json& shown) const;
  CallResult<Json> call(std::string_view action, const Json& input) const { return call(action, input, input); }

  const std::string& region() const { return region_; }

 private:
  CallExecutor& executor_;
  std::string origin_, region_;
  std::string_view service_, target_;
};

}  // namespace icecore::aws
