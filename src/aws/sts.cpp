#include "aws/sts.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "aws/xml.h"

namespace icecore::aws {
namespace {

constexpr std::string_view kVersion = "2011-06-15";
constexpr std::int64_t kBudgetMs = 30'000;
constexpr std::array<std::string_view, 3> kSecret = {"TokenCode", "WebIdentityToken", "ExternalId"};

CallResult<Credentials> read_credentials(const std::string& body, std::string_view action, const std::string& role) {
  ICECORE_CALL(const XmlReply xml, parse_xml(body, action));
  const pugi::xml_node found = xml.root.child(fmt::format("{}Result", action).c_str()).child("Credentials");
  Credentials credentials{.access_key_id = child_text(found, "AccessKeyId"),
                          .secret_access_key = child_text(found, "SecretAccessKey"),
                          .session_token = child_text(found, "SessionToken"),
                          .expires = child_time(found, "Expiration"),
                          .source = fmt::format("role {}", role)};
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty() || credentials.session_token.empty()) {
    return fail(Code::kCredentials, fmt::format("sts {} answered without credentials for {}", action, role));
  }
  return credentials;
}

}  // namespace

CallResult<std::string> Sts::call(std::string_view action, const Parameters& parameters, bool unsigned_request) {
  Call call{.operation = &operation("sts", action), .protocol = Protocol::kQuery, .method = "POST"};
  call.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  Parameters form;
  form.set("Action", std::string(action)).set("Version", std::string(kVersion));
  call.body = form.encoded();
  if (!parameters.values().empty()) call.body += '&' + parameters.encoded();
  for (const NameValue& one : parameters.values()) {
    if (std::find(kSecret.begin(), kSecret.end(), one.name) == kSecret.end()) call.parameters.push_back(one);
  }
  call.unsigned_request = unsigned_request;
  call.budget_ms = kBudgetMs;
  ICECORE_CALL(const CallReply reply, executor_.run(std::move(call), origin_, region_));
  return std::string(as_text(reply.http.body));
}

CallResult<CallerIdentity> Sts::get_caller_identity() {
  ICECORE_CALL(const std::string body, call("GetCallerIdentity", {}, false));
  ICECORE_CALL(const XmlReply xml, parse_xml(body, "GetCallerIdentity"));
  const pugi::xml_node found = xml.root.child("GetCallerIdentityResult");
  CallerIdentity identity{child_text(found, "Account"), child_text(found, "Arn"), child_text(found, "UserId")};
  if (identity.account.empty()) return fail(Code::kRemote, "sts GetCallerIdentity answered without an account");
  return identity;
}

CallResult<Credentials> Sts::assume_role(const AssumeRoleRequest& request) {
  Parameters parameters;
  parameters.set("RoleArn", request.role_arn).set("RoleSessionName", request.session_name);
  if (request.duration_seconds > 0) parameters.set("DurationSeconds", std::to_string(request.duration_seconds));
  if (!request.external_id.empty()) parameters.set("ExternalId", request.external_id);
  if (!request.mfa_serial.empty()) parameters.set("SerialNumber", request.mfa_serial).set("TokenCode", request.mfa_code);
  ICECORE_CALL(const std::string body, call("AssumeRole", parameters, false));
  return read_credentials(body, "AssumeRole", request.role_arn);
}

CallResult<Credentials> Sts::assume_role_with_web_identity(const WebIdentityRequest& request) {
  Parameters parameters;
  parameters.set("RoleArn", request.role_arn).set("RoleSessionName", request.session_name).set("WebIdentityToken", request.token);
  ICECORE_CALL(const std::string body, call("AssumeRoleWithWebIdentity", parameters, true));
  return read_credentials(body, "AssumeRoleWithWebIdentity", request.role_arn);
}

}  // namespace icecore::aws
