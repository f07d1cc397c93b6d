// The order of the sources, after botocore's create_credential_resolver and AssumeRoleProvider.
#include <fmt/format.h>
#include <charconv>

#include "aws/credential_sources.h"
#include "aws/sts.h"
#include "core/text.h"

namespace icecore::aws {
namespace {

const Section* section_of(const std::map<std::string, Section, std::less<>>& file, const std::string& profile) {
  const auto found = file.find(profile);
  return found == file.end() ? nullptr : &found->second;
}

Failure profile_failure(const std::string& profile, std::string_view words) {
  return fail(Code::kCredentials, fmt::format("profile '{}' {}", printable(profile), words));
}

bool has_static_keys(const CredentialContext& context, const std::string& profile) {
  const ProfileFiles& files = context.config.files;
  return files.setting(profile, "aws_access_key_id") || files.setting(profile, "aws_secret_access_key");
}

bool has_role(const CredentialContext& context, const std::string& profile) {
  const ProfileFiles& files = context.config.files;
  return files.setting(profile, "role_arn") && !files.setting(profile, "web_identity_token_file");
}

Result<Credentials> from_named_source(const CredentialContext& context, const std::string& profile, const std::string& source) {
  const std::string name = to_lower(source);
  Sourced found;
  if (name == "environment") {
    found = environment_credentials(context);
  } else if (name == "ec2instancemetadata") {
    found = metadata_credentials(context);
  } else if (name == "ecscontainer") {
    found = container_credentials(context);
  } else {
    return profile_failure(
        profile, fmt::format("names the credential_source '{}'; it can be Environment, Ec2InstanceMetadata or EcsContainer", printable(source)));
  }
  if (!found) return Failure(std::move(found).error());
  if (!*found) return profile_failure(profile, fmt::format("wants its credentials from {}, which has none", source));
  return std::move(**found);
}

Result<Credentials> from_source_profile(const CredentialContext& context, const std::string& profile, const std::string& source,
                                        std::set<std::string>& visited) {
  if (!context.config.files.has_profile(source))
    return profile_failure(profile, fmt::format("names the source_profile '{}', which does not exist", printable(source)));
  const bool has_keys = has_static_keys(context, source);
  // A profile may be its own source where it holds keys; any other way back is a circle.
  if (visited.contains(source) && !(source == profile && has_keys)) return profile_failure(source, "is its own source_profile by a circle");
  visited.insert(source);
  Sourced found = has_keys || !has_role(context, source) ? profile_credentials(context, source, true) : role_credentials(context, source, visited);
  if (!found) return Failure(std::move(found).error());
  if (!*found) return profile_failure(source, fmt::format("is the source_profile of '{}' and has no credentials", printable(profile)));
  return std::move(**found);
}

Result<AssumeRoleRequest> role_request(const CredentialContext& context, const std::string& profile) {
  const auto setting = [&](std::string_view name) { return context.config.files.setting(profile, name).value_or(""); };
  AssumeRoleRequest request{.role_arn = setting("role_arn"),
                            .session_name = setting("role_session_name"),
                            .external_id = setting("external_id"),
                            .mfa_serial = setting("mfa_serial")};
  if (request.session_name.empty()) request.session_name = fmt::format("icecore-{}", context.clock.now().seconds);
  const std::string duration = setting("duration_seconds");
  std::from_chars(duration.data(), duration.data() + duration.size(), request.duration_seconds);
  if (request.mfa_serial.empty()) return request;
  if (!context.mfa_prompt)
    return profile_failure(profile, fmt::format("needs the code of the MFA device {}, and there is no terminal to ask on", request.mfa_serial));
  ICECORE_ASSIGN(request.mfa_code, context.mfa_prompt(request.mfa_serial));
  return request;
}

/// A client for the chain's own calls, signed with `signer`. Without a region STS's global endpoint answers.
template <typename Ask>
Result<Credentials> ask_sts(const CredentialContext& context, const Credentials& signer, const Ask& ask) {
  const auto source = fixed_credentials(signer);
  CallExecutor executor({context.transport, *source, context.clock, no_observer()});
  const std::string region = context.config.region.value_or("us-east-1");
  ICECORE_ASSIGN(std::string origin, context.config.endpoint("sts", region));
  if (!context.config.region && origin == "https://sts.us-east-1.amazonaws.com") origin = "https://sts.amazonaws.com";
  Sts sts(executor, origin, region);
  return ask(sts);
}

}  // namespace

Sourced role_credentials(const CredentialContext& context, const std::string& profile, std::set<std::string>& visited) {
  if (!has_role(context, profile)) return std::nullopt;
  const auto source_profile = context.config.files.setting(profile, "source_profile");
  const auto credential_source = context.config.files.setting(profile, "credential_source");
  if (source_profile && credential_source) return profile_failure(profile, "has both source_profile and credential_source; it may have one");
  if (!source_profile && !credential_source) return profile_failure(profile, "has role_arn but neither source_profile nor credential_source");
  ICECORE_ASSIGN(const Credentials signer, source_profile ? from_source_profile(context, profile, *source_profile, visited)
                                                          : from_named_source(context, profile, *credential_source));
  ICECORE_ASSIGN(const AssumeRoleRequest request, role_request(context, profile));
  auto assumed = ask_sts(context, signer, [&](Sts& sts) -> Result<Credentials> { return sts.assume_role(request); });
  if (!assumed) return wrap(std::move(assumed).error(), fmt::format("the role of profile '{}' cannot be assumed", printable(profile)));
  return std::move(*assumed);
}

Sourced web_identity_credentials(const CredentialContext& context, const std::string& profile, bool ignore_environment) {
  const auto either = [&](std::string_view variable, std::string_view setting) {
    auto value = ignore_environment ? std::nullopt : context.config.environment(variable);
    return value ? value : context.config.files.setting(profile, setting);
  };
  const auto token_file = either("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
  if (!token_file || token_file->empty()) return std::nullopt;
  const auto role = either("AWS_ROLE_ARN", "role_arn");
  if (!role || role->empty()) return fail(Code::kCredentials, "a web identity token file is set, but no role: set AWS_ROLE_ARN or role_arn");
  auto token = read_text_file(*token_file, std::uint64_t{1} << 16);
  if (!token) return fail(Code::kCredentials, fmt::format("the web identity token: {}", to_string(token.error())));
  const std::string session = either("AWS_ROLE_SESSION_NAME", "role_session_name").value_or(fmt::format("icecore-{}", context.clock.now().seconds));
  const WebIdentityRequest request{*role, session, std::string(trim(*token))};
  auto assumed = ask_sts(context, {}, [&](Sts& sts) -> Result<Credentials> { return sts.assume_role_with_web_identity(request); });
  if (!assumed) return wrap(std::move(assumed).error(), fmt::format("the role {} cannot be assumed with the web identity token", *role));
  return std::move(*assumed);
}

Sourced profile_credentials(const CredentialContext& context, const std::string& profile, bool ignore_environment) {
  const ProfileFiles& files = context.config.files;
  Sourced found = web_identity_credentials(context, profile, ignore_environment);
  if (!found || *found) return found;
  found = static_credentials(section_of(files.credentials, profile), fmt::format("profile '{}' in {}", profile, files.credentials_path.string()));
  if (!found || *found) return found;
  found = process_credentials(context, profile);
  if (!found || *found) return found;
  found = static_credentials(section_of(files.config, profile), fmt::format("profile '{}' in {}", profile, files.config_path.string()));
  if (!found || *found) return found;
  if (files.setting(profile, "sso_session") || files.setting(profile, "sso_start_url")) {
    return profile_failure(profile,
                           fmt::format("signs in through IAM Identity Center: run `aws sso login --profile {0}`, then add `credential_process = aws "
                                       "configure export-credentials --profile {0} --format process` to another profile and use that",
                                       printable(profile)));
  }
  return std::nullopt;
}

Result<Credentials> find_credentials(const CredentialContext& context) {
  const Config& config = context.config;
  const auto first = [](Sourced found, Result<Credentials>& into) {
    if (!found) {
      into = Failure(std::move(found).error());
      return true;
    }
    if (*found) into = std::move(**found);
    return found->has_value();
  };
  Result<Credentials> result;
  std::set<std::string> visited = {config.profile};
  if (!config.profile_flag && first(environment_credentials(context), result)) return result;
  if (first(role_credentials(context, config.profile, visited), result)) return result;
  if (first(profile_credentials(context, config.profile, config.profile_flag), result)) return result;
  if (first(container_credentials(context), result)) return result;
  if (first(metadata_credentials(context), result)) return result;
  return fail(
      Code::kCredentials,
      fmt::format("no credentials found: looked at {}profile '{}' in {} and {}, the container's endpoint and the instance's metadata; run `aws "
                  "configure`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --profile",
                  config.profile_flag ? "" : "the environment, ", printable(config.profile), config.files.credentials_path.string(),
                  config.files.config_path.string()));
}

}  // namespace icecore::aws
