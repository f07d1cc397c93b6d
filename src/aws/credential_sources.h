// The single sources of credentials. Each is a function without memory: it fetches once; refreshing is credentials.cpp's affair. Sources that do not
// apply give nothing; those that apply and fail are errors that end the chain, as in botocore.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "aws/credentials.h"

namespace icecore::aws {

/// Credentials, or nothing where this source is not configured.
using Sourced = Result<std::optional<Credentials>>;

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (or AWS_SECURITY_TOKEN), AWS_CREDENTIAL_EXPIRATION.
Sourced environment_credentials(const CredentialContext& context);
/// aws_access_key_id … of the profile in the credentials file, or in the config file.
Sourced static_credentials(const Section* section, const std::string& source);
/// credential_process: run without a shell, JSON of version 1 on its standard output, at most 60 s.
Sourced process_credentials(const CredentialContext& context, const std::string& profile);
/// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI / _FULL_URI with the authorization token or its file.
Sourced container_credentials(const CredentialContext& context);
/// EC2 instance metadata, version 2 only. Nothing where AWS_EC2_METADATA_DISABLED is true or nobody answers.
Sourced metadata_credentials(const CredentialContext& context);
/// web_identity_token_file + role_arn of the profile, or AWS_WEB_IDENTITY_TOKEN_FILE + AWS_ROLE_ARN unless `ignore_environment`.
Sourced web_identity_credentials(const CredentialContext& context, const std::string& profile, bool ignore_environment);
/// role_arn with source_profile or credential_source, chains included; `visited` guards against circles.
Sourced role_credentials(const CredentialContext& context, const std::string& profile, std::set<std::string>& visited);
/// The profile's own sources in order: web identity, credentials file, process, config file.
Sourced profile_credentials(const CredentialContext& context, const std::string& profile, bool ignore_environment);

/// The whole chain of make_credential_source, once.
Result<Credentials> find_credentials(const CredentialContext& context);

/// `{"AccessKeyId", "SecretAccessKey", token_member, "Expiration"}`; kCredentials that names `source` where a member is missing.
Result<Credentials> credentials_from_json(std::string_view text, std::string_view token_member, const std::string& source);

}  // namespace icecore::aws
