// What the user wants to talk to: profile, region, endpoints, trust and proxies, by the AWS CLI's names and precedence (flag, environment, config
// file).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/curl_transport.h"
#include "aws/environment.h"
#include "aws/profile_files.h"
#include "core/result.h"

namespace icecore::aws {

/// The command line's global flags, as given.
struct Flags {
  std::optional<std::string> profile = {};       ///< --profile
  std::optional<std::string> region = {};        ///< --region
  std::optional<std::string> endpoint_url = {};  ///< --endpoint-url, for every service
  std::optional<std::string> ca_bundle = {};     ///< --ca-bundle
};

struct Config {
  Environment environment;
  ProfileFiles files;
  std::string profile = {};   ///< "default" where none is named
  bool profile_flag = false;  ///< given by --profile: beats credentials in the environment
  std::optional<std::string> region = {};
  std::string region_source = {};  ///< "--region", "AWS_REGION", "profile 'x'": for messages
  std::optional<std::string> endpoint_flag = {};
  CurlOptions transport;

  /// The region, or kInvalidArgument that says how to give one.
  Result<std::string> require_region() const;

  /// Scheme and authority for a service ("ec2", "ebs", "cloudtrail", "sts", "ssm", "s3"): --endpoint-url, AWS_ENDPOINT_URL_<SERVICE>,
  /// AWS_ENDPOINT_URL, the profile's `services` section, the profile's endpoint_url, else AWS's own host of the region.
  Result<std::string> endpoint(std::string_view service, std::string_view region) const;

  /// A setting of the chosen profile, or nothing.
  std::optional<std::string> profile_setting(std::string_view name) const;
};

/// The region that IAM's requests are signed for, of the partition that `region` is in.
std::string iam_region(std::string_view region);

/// Reads the files that the environment names (missing ones are fine). kInvalidArgument where a named profile does not exist or a value is malformed;
/// messages name the file and line, never a secret.
Result<Config> load_config(const Flags& flags, Environment environment);

}  // namespace icecore::aws
