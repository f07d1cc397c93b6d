// Credentials that stand somewhere as they are: environment, files.
#include "aws/credential_sources.h"

#include <fmt/format.h>

#include "core/json.h"
#include "core/text.h"

namespace icecore::aws {
namespace {

Failure half(const std::string& source, std::string_view missing) {
  return fail(Code::kCredentials, fmt::format("the credentials from {} are incomplete: {} is missing", source, missing));
}

Result<std::optional<Timestamp>> expiration(std::string_view text, const std::string& source) {
  if (text.empty()) return std::nullopt;
  auto time = parse_iso8601(text);
  if (!time) return fail(Code::kCredentials, fmt::format("the credentials from {} have an expiration that is no ISO 8601 time", source));
  return *time;
}

}  // namespace

Sourced environment_credentials(const CredentialContext& context) {
  const Environment& environment = context.config.environment;
  const auto key = non_empty(environment, "AWS_ACCESS_KEY_ID");
  if (!key) return std::nullopt;
  const std::string source = "the environment";
  const auto secret = non_empty(environment, "AWS_SECRET_ACCESS_KEY");
  if (!secret) return half(source, "AWS_SECRET_ACCESS_KEY");
  Credentials credentials{.access_key_id = *key, .secret_access_key = *secret, .session_token = {}, .expires = {}, .source = source};
  for (const std::string_view name : {"AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"}) {
    if (credentials.session_token.empty()) credentials.session_token = environment(name).value_or("");
  }
  ICECORE_ASSIGN(credentials.expires, expiration(environment("AWS_CREDENTIAL_EXPIRATION").value_or(""), source));
  return credentials;
}

Sourced static_credentials(const Section* section, const std::string& source) {
  if (section == nullptr) return std::nullopt;
  const auto value = [&](std::string_view name) {
    const auto found = section->find(name);
    return found == section->end() ? std::string() : found->second;
  };
  if (!section->contains("aws_access_key_id")) return std::nullopt;
  Credentials credentials{.access_key_id = value("aws_access_key_id"),
                          .secret_access_key = value("aws_secret_access_key"),
                          .session_token = value("aws_session_token"),
                          .expires = {},
                          .source = source};
  if (credentials.session_token.empty()) credentials.session_token = value("aws_security_token");
  if (credentials.secret_access_key.empty()) return half(source, "aws_secret_access_key");
  return credentials;
}

Result<Credentials> credentials_from_json(std::string_view text, std::string_view token_member, const std::string& source) {
  auto json = parse_json(text, "the answer");
  // What was said may hold the secret, so it is not repeated.
  if (!json || !json->is_object()) return fail(Code::kCredentials, fmt::format("{} did not answer with a JSON object", source));
  Credentials credentials{.access_key_id = text_at(*json, "AccessKeyId"),
                          .secret_access_key = text_at(*json, "SecretAccessKey"),
                          .session_token = text_at(*json, token_member),
                          .expires = {},
                          .source = source};
  if (credentials.access_key_id.empty()) return half(source, "AccessKeyId");
  if (credentials.secret_access_key.empty()) return half(source, "SecretAccessKey");
  ICECORE_ASSIGN(credentials.expires, expiration(text_at(*json, "Expiration"), source));
  return credentials;
}

}  // namespace icecore::aws
