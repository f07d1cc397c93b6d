// Everything a run needs to talk to AWS, put together from flags and environment.
#pragma once

#include <memory>
#include <string>

#include "aws/call.h"
#include "aws/cloudtrail.h"
#include "aws/config.h"
#include "aws/credentials.h"
#include "aws/ebs.h"
#include "aws/ec2.h"
#include "aws/iam.h"
#include "aws/kms.h"
#include "aws/s3.h"
#include "aws/ssm.h"
#include "aws/sts.h"

namespace icecore::aws {

/// Owns transport, credentials and executor; the clients that it gives refer to it. Thread-safe once open. Opening makes no call.
class Session {
 public:
  /// `observer` and `clock` outlive the session.
  static Result<std::unique_ptr<Session>> open(const Flags& flags, Environment environment, CallObserver& observer, MfaPrompt mfa_prompt = nullptr,
                                               const Clock& clock = system_clock());

  const Config& config() const { return config_; }
  CallExecutor& executor() { return *executor_; }
  CredentialSource& credentials() { return *credentials_; }

  /// Clients for a region; empty: the configured one (kInvalidArgument with what to do where there is none).
  Result<Ec2> ec2(const std::string& region = "");
  Result<Ebs> ebs(const std::string& region = "");
  Result<CloudTrail> cloudtrail(const std::string& region = "");
  Result<Sts> sts(const std::string& region = "");
  Result<Ssm> ssm(const std::string& region = "");
  Result<Kms> kms(const std::string& region = "");
  Result<S3> s3(const std::string& region = "");
  /// One for all regions of the partition that `region` is in.
  Result<Iam> iam(const std::string& region = "");

 private:
  Session() = default;
  template <typename Client>
  Result<Client> client(std::string_view service, const std::string& region);

  Config config_;
  std::unique_ptr<HttpTransport> transport_, local_transport_;
  std::unique_ptr<CredentialSource> credentials_;
  std::unique_ptr<CallExecutor> executor_;
};

}  // namespace icecore::aws
