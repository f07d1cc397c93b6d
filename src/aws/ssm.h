// AWS Systems Manager (JSON 1.1, 2014-11-06): public parameters that name images, and commands on an instance without SSH.
#pragma once

#include <optional>
#include <string>

#include "aws/json_service.h"

namespace icecore::aws {

/// How a command ended on one instance.
struct CommandInvocation {
  std::string status;  ///< "Pending", "InProgress", "Success", "Failed", "TimedOut", …
  std::string output, error;
  std::int64_t exit_code = -1;
  bool ended() const { return status != "Pending" && status != "InProgress" && status != "Delayed" && status != "Cancelling"; }
};

class Ssm {
 public:
  Ssm(CallExecutor& executor, std::string origin, std::string region)
      : service_(executor, std::move(origin), std::move(region), "ssm", "AmazonSSM.") {}

  /// The value of a parameter ("/aws/service/debian/release/12/latest/amd64"). kNotFound.
  CallResult<std::string> get_parameter(const std::string& name) const;
  /// "Online", "ConnectionLost", "Inactive", or empty where Systems Manager does not know the instance (yet).
  CallResult<std::string> ping_status(const std::string& instance) const;
  /// Runs a shell script as root through AWS-RunShellScript; the command's id. Not repeatable: an unknown outcome is an error.
  CallResult<std::string> send_script(const std::string& instance, const std::string& script, const std::string& comment) const;
  /// Nothing where the invocation is not known yet.
  CallResult<std::optional<CommandInvocation>> invocation(const std::string& command, const std::string& instance) const;

 private:
  JsonService service_;
};

}  // namespace icecore::aws
