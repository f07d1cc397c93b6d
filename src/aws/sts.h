// AWS Security Token Service: who we are, and roles.
#pragma once

#include <optional>
#include <string>

#include "aws/call.h"
#include "aws/parameters.h"

namespace icecore::aws {

struct CallerIdentity {
  std::string account = {}, arn = {}, user_id = {};
};

struct AssumeRoleRequest {
  std::string role_arn = {}, session_name = {};
  std::string external_id = {};
  int duration_seconds = 0;  ///< 0: the service's default
  std::string mfa_serial = {}, mfa_code = {};
};

struct WebIdentityRequest {
  std::string role_arn = {}, session_name = {};
  std::string token = {};  ///< the OIDC token itself
};

class Sts {
 public:
  Sts(CallExecutor& executor, std::string origin, std::string region) : executor_(executor), origin_(std::move(origin)), region_(std::move(region)) {}

  CallResult<CallerIdentity> get_caller_identity();
  CallResult<Credentials> assume_role(const AssumeRoleRequest& request);
  /// Sent unsigned.
  CallResult<Credentials> assume_role_with_web_identity(const WebIdentityRequest& request);

 private:
  CallResult<std::string> call(std::string_view action, const Parameters& parameters, bool unsigned_request);
  CallExecutor& executor_;
  std::string origin_, region_;
};

}  // namespace icecore::aws
