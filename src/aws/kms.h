// AWS KMS (JSON 1.1, 2014-11-01): which key a snapshot is encrypted with, and a key of the case's own.
#pragma once

#include <string>
#include <vector>

#include "aws/ec2_types.h"
#include "aws/json_service.h"

namespace icecore::aws {

struct KmsKey {
  std::string id, arn, account, description, state;
  bool aws_managed = false;  ///< such as aws/ebs: what it encrypts cannot be shared
};

class Kms {
 public:
  Kms(CallExecutor& executor, std::string origin, std::string region)
      : service_(executor, std::move(origin), std::move(region), "kms", "TrentService.") {}

  /// `key`: id, ARN or "alias/…". kNotFound.
  CallResult<KmsKey> describe_key(const std::string& key) const;
  /// Ids of all keys of the account in the region.
  CallResult<std::vector<std::string>> list_keys() const;
  /// A symmetric key. Not repeatable.
  CallResult<KmsKey> create_key(const std::string& description, const Tags& tags) const;
  CallResult<void> create_alias(const std::string& alias, const std::string& key) const;

 private:
  JsonService service_;
};

}  // namespace icecore::aws
