#include "aws/session.h"

#include <charconv>

namespace icecore::aws {
namespace {

int configured_attempts(const Config& config) {
  const std::string text = non_empty(config.environment, "AWS_MAX_ATTEMPTS").value_or(config.profile_setting("max_attempts").value_or(""));
  int attempts = 0;
  std::from_chars(text.data(), text.data() + text.size(), attempts);
  return attempts > 0 ? attempts : 0;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(const Flags& flags, Environment environment, CallObserver& observer, MfaPrompt mfa_prompt,
                                               const Clock& clock) {
  std::unique_ptr<Session> session(new Session);
  ICECORE_ASSIGN(session->config_, load_config(flags, std::move(environment)));
  session->transport_ = make_curl_transport(session->config_.transport);
  CurlOptions local = session->config_.transport;
  local.https_proxy = local.http_proxy = "";  // metadata endpoints are link-local
  session->local_transport_ = make_curl_transport(std::move(local));
  session->credentials_ = make_credential_source({session->config_, *session->transport_, *session->local_transport_, clock, std::move(mfa_prompt)});
  session->executor_ = std::make_unique<CallExecutor>(CallExecutor::Parts{.transport = *session->transport_,
                                                                          .credentials = *session->credentials_,
                                                                          .clock = clock,
                                                                          .observer = observer,
                                                                          .max_attempts = configured_attempts(session->config_)});
  return session;
}

template <typename Client>
Result<Client> Session::client(std::string_view service, const std::string& region) {
  std::string where = region;
  if (where.empty()) {
    ICECORE_ASSIGN(where, config_.require_region());
  }
  ICECORE_ASSIGN(std::string origin, config_.endpoint(service, where));
  return Client(*executor_, std::move(origin), std::move(where));
}

Result<Ec2> Session::ec2(const std::string& region) { return client<Ec2>("ec2", region); }
Result<Ebs> Session::ebs(const std::string& region) { return client<Ebs>("ebs", region); }
Result<CloudTrail> Session::cloudtrail(const std::string& region) { return client<CloudTrail>("cloudtrail", region); }
Result<Sts> Session::sts(const std::string& region) { return client<Sts>("sts", region); }
Result<Ssm> Session::ssm(const std::string& region) { return client<Ssm>("ssm", region); }
Result<Kms> Session::kms(const std::string& region) { return client<Kms>("kms", region); }
Result<S3> Session::s3(const std::string& region) { return client<S3>("s3", region); }

Result<Iam> Session::iam(const std::string& region) {
  std::string where = region;
  if (where.empty()) {
    ICECORE_ASSIGN(where, config_.require_region());
  }
  return client<Iam>("iam", iam_region(where));
}

}  // namespace icecore::aws
