// The ways in: a security group, a role for Systems Manager, a key. Each is made once a case and removed by down.
#pragma once

#include <string>

#include "workstation/up.h"

namespace icecore::workstation {

/// A group of the case in this VPC: no inbound but what was asked for, outbound as chosen. Its id.
Result<std::string> ensure_group(CaseAccount& account, const UpOptions& options, const std::string& vpc);

/// The name of the instance profile, or empty where Systems Manager is not wanted.
Result<std::string> ensure_profile(CaseAccount& account, const UpOptions& options);

/// The name of the key pair, or empty.
Result<std::string> ensure_key(CaseAccount& account, const UpOptions& options);

inline constexpr const char* kManagedPolicy = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";

}  // namespace icecore::workstation
