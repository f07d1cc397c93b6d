// STS, Query protocol: who am I, and sessions of roles.
#include <algorithm>

#include "lab.h"
#include "model/service_model.h"
#include "util/api_error.h"
#include "util/digest.h"

namespace icelab {
namespace {

using nlohmann::json;

ApiError denied(const Call& call, const std::string& action, const std::string& resource) {
  return {"AccessDenied", "User: " + call.principal.arn + " is not authorized to perform: sts:" + action + " on resource: " + resource, 403};
}

std::string last_part(const std::string& arn) { return arn.substr(arn.rfind('/') + 1); }

// "arn:aws:iam::1:role/path/name" as the session of it: "arn:aws:sts::1:assumed-role/name/session".
std::string session_arn(const std::string& role_arn, const std::string& session) {
  const auto parts = split(role_arn, ':');
  return "arn:aws:sts::" + (parts.size() > 4 ? parts[4] : "") + ":assumed-role/" + last_part(role_arn) + "/" + session;
}

const json& role_named(Call& call, const std::string& arn, const std::string& action) {
  for (const json& role : call.lab.world->roles) {
    if (role.value("Arn", "") == arn) return role;
  }
  throw denied(call, action, arn);  // AWS does not tell a stranger's role from none
}

json new_session(Call& call, Principal principal, std::int64_t seconds, const std::string& prefix) {
  Credential credential;
  credential.access_key = prefix + [] {
    std::string key = random_hex(16);
    std::transform(key.begin(), key.end(), key.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
    return key;
  }();
  credential.secret = base64_encode(random_bytes(30));
  credential.token = base64_encode(random_bytes(96));
  credential.expiration = call.lab.clock.now() + seconds * 1000;
  credential.principal = std::move(principal);
  const json out = {{"AccessKeyId", credential.access_key},
                    {"SecretAccessKey", credential.secret},
                    {"SessionToken", credential.token},
                    {"Expiration", iso8601(*credential.expiration)}};
  call.lab.credentials.add(std::move(credential));
  return out;
}

std::int64_t duration(const json& in, std::int64_t otherwise, std::int64_t most) {
  const std::int64_t seconds = in.value("DurationSeconds", otherwise);
  if (seconds < 900 || seconds > most) throw ApiError("ValidationError", "The requested DurationSeconds must be 900 to " + std::to_string(most));
  return seconds;
}

json assume(Call& call, const json& in, const json& role) {
  const std::string arn = role["Arn"];
  const std::string session = in["RoleSessionName"];
  if (session.size() < 2 || session.size() > 64) throw ApiError("ValidationError", "roleSessionName must have 2 to 64 characters");
  Principal principal{session_arn(arn, session), role.value("RoleId", "AROA0000000000000000L") + ":" + session, split(arn, ':').at(4),
                      policy_sets_of(role)};
  if (in.contains("Policy")) {
    const json own = json::parse(in["Policy"].get<std::string>(), nullptr, false);
    if (const std::string problem = policy_problem(own); !problem.empty()) throw ApiError("MalformedPolicyDocument", problem);
    principal.policy_sets.push_back({own});
  }
  const json user = {{"AssumedRoleId", principal.user_id}, {"Arn", principal.arn}};
  return {{"Credentials", new_session(call, std::move(principal), duration(in, 3600, 43'200), "ASIA")},
          {"AssumedRoleUser", user},
          {"PackedPolicySize", 1}};
}

json assume_role(Call& call, const json& in) {
  const std::string arn = in["RoleArn"];
  const json& role = role_named(call, arn, "AssumeRole");
  const json trusts = role.value("_trusts", json::array());
  const bool trusted = std::any_of(trusts.begin(), trusts.end(), [&](const json& one) {
    return one == call.principal.arn || one == call.principal.account || one == "arn:aws:iam::" + call.principal.account + ":root" || one == "*";
  });
  if (!trusted || call.principal.may({"sts:AssumeRole", arn, {}}) != Decision::allowed) throw denied(call, "AssumeRole", arn);
  if (role.contains("_mfa_serial")) {
    const bool fine = in.value("SerialNumber", "") == role["_mfa_serial"] && in.value("TokenCode", "") == role.value("_mfa_code", "123456");
    if (!fine) throw ApiError("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.", 403);
  }
  if (role.contains("_external_id") && in.value("ExternalId", "") != role["_external_id"]) throw denied(call, "AssumeRole", arn);
  return assume(call, in, role);
}

// The token is whatever text the role's _web_identity_token says: the lab is no OpenID provider.
json assume_role_with_web_identity(Call& call, const json& in) {
  const json& role = role_named(call, in["RoleArn"], "AssumeRoleWithWebIdentity");
  const std::string token = in["WebIdentityToken"];
  if (!role.contains("_web_identity_token") || role["_web_identity_token"] != token)
    throw ApiError("InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider, or the token is not of it");
  json out = assume(call, in, role);
  out["SubjectFromWebIdentityToken"] = "lab-subject";
  out["Provider"] = "lab";
  out["Audience"] = "sts.amazonaws.com";
  return out;
}

json get_session_token(Call& call, const json& in) {
  if (call.principal.arn.find(":assumed-role/") != std::string::npos)
    throw ApiError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403);
  return {{"Credentials", new_session(call, call.principal, duration(in, 43'200, 129'600), "ASIA")}};
}

}  // namespace

Reply serve_sts(Call& call, const Parameters& parameters) {
  const ServiceModel& model = service_models().at("sts");
  const Operation& operation = *model.find(call.action);
  const json in = model.parse_query(operation, parameters);
  json out;
  const std::lock_guard lock(call.lab.world->mutex);
  // GetCallerIdentity needs no permission: AWS answers it even under an explicit deny.
  if (call.action == "GetCallerIdentity")
    out = {{"UserId", call.principal.user_id}, {"Account", call.principal.account}, {"Arn", call.principal.arn}};
  if (call.action == "AssumeRole") out = assume_role(call, in);
  if (call.action == "AssumeRoleWithWebIdentity") out = assume_role_with_web_identity(call, in);
  if (call.action == "GetSessionToken") out = get_session_token(call, in);
  Reply reply;
  reply.headers.emplace_back("Content-Type", "text/xml");
  reply.body = model.to_xml(operation, out, call.request_id);
  return reply;
}

}  // namespace icelab
