// AWS IAM (Query protocol, 2010-05-08): the role through which Systems Manager reaches an instance. Deleting or detaching what is not there, and
// making what is there, are not errors: names are the caller's own.
#pragma once

#include <optional>
#include <string>

#include "aws/call.h"
#include "aws/ec2_types.h"
#include "aws/parameters.h"

namespace icecore::aws {

struct InstanceProfile {
  std::string arn, role;  ///< role: name of the one it holds, or empty
  Tags tags;
};

class Iam {
 public:
  Iam(CallExecutor& executor, std::string origin, std::string region) : executor_(executor), origin_(std::move(origin)), region_(std::move(region)) {}

  /// The tags of a role, or nothing where there is none.
  CallResult<std::optional<Tags>> role_tags(const std::string& role);
  /// Nothing where there is none.
  CallResult<std::optional<InstanceProfile>> instance_profile(const std::string& name);
  /// A role that EC2 instances may take.
  CallResult<void> create_role(const std::string& role, const std::string& description, const Tags& tags);
  CallResult<void> attach_role_policy(const std::string& role, const std::string& policy_arn);
  CallResult<void> create_instance_profile(const std::string& name, const Tags& tags);
  CallResult<void> add_role(const std::string& profile, const std::string& role);
  CallResult<void> remove_role(const std::string& profile, const std::string& role);
  CallResult<void> delete_instance_profile(const std::string& name);
  CallResult<void> detach_role_policy(const std::string& role, const std::string& policy_arn);
  CallResult<void> delete_role(const std::string& role);

 private:
  CallResult<std::string> call(std::string_view action, const Parameters& parameters);
  CallResult<void> change(std::string_view action, const Parameters& parameters, std::string_view fine);
  CallExecutor& executor_;
  std::string origin_, region_;
};

}  // namespace icecore::aws
