// Credentials from endpoints near the machine: containers (ECS, EKS Pod Identity) and EC2 instance metadata, version 2 only.
#include <fmt/format.h>
#include <array>
#include <charconv>

#include "aws/credential_sources.h"
#include "core/json.h"
#include "core/text.h"

namespace icecore::aws {
namespace {

constexpr std::string_view kTokenPath = "/latest/api/token";
constexpr std::string_view kRolePath = "/latest/meta-data/iam/security-credentials/";
constexpr std::uint64_t kBodyBytes = 64 * 1024;
/// Hosts that a container's token may be sent to in plain HTTP (botocore utils.py, ContainerMetadataFetcher).
constexpr std::array<std::string_view, 5> kContainerHosts = {"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "localhost", "[::1]"};

HttpLimits short_limits(std::int64_t ms) { return {.connect_ms = ms, .stall_ms = ms, .total_ms = ms, .body_bytes = kBodyBytes}; }

/// "http://host:port/path?query" into a request. The query stays in the path, since nothing here is signed.
Result<HttpRequest> request_to(const std::string& url) {
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  if (scheme == 0) return fail(Code::kCredentials, fmt::format("the container's credential address '{}' is not http or https", printable(url)));
  const std::size_t path = url.find('/', scheme);
  HttpRequest request;
  request.origin = url.substr(0, path);
  request.path = path == std::string::npos ? "/" : url.substr(path);
  return request;
}

std::string host_of(const std::string& origin) {
  const std::string authority = origin.substr(origin.find("://") + 3);
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

bool is_loopback_v4(const std::string& host) { return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos; }

bool may_receive_token(const HttpRequest& request) {
  if (request.origin.starts_with("https://")) return true;
  const std::string host = host_of(request.origin);
  if (is_loopback_v4(host)) return true;
  for (const std::string_view allowed : kContainerHosts) {
    if (host == allowed) return true;
  }
  return false;
}

Result<std::string> container_token(const Environment& environment) {
  std::string token;
  if (const auto file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    auto text = read_text_file(*file, kBodyBytes);
    if (!text) return fail(Code::kCredentials, fmt::format("the container's authorization token: {}", to_string(text.error())));
    token = std::move(*text);
  } else {
    token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  }
  if (token.find_first_of("\r\n") != std::string::npos) return fail(Code::kCredentials, "the container's authorization token holds a line break");
  return token;
}

std::int64_t metadata_timeout_ms(const Config& config) {
  const std::string text =
      non_empty(config.environment, "AWS_METADATA_SERVICE_TIMEOUT").value_or(config.profile_setting("metadata_service_timeout").value_or("1"));
  std::int64_t seconds = 1;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::clamp<std::int64_t>(seconds, 1, 60) * 1000;
}

std::string metadata_origin(const Config& config) {
  std::string origin = non_empty(config.environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT")
                           .value_or(config.profile_setting("ec2_metadata_service_endpoint").value_or(""));
  while (origin.ends_with('/')) origin.pop_back();
  if (!origin.empty()) return origin;
  const std::string mode = non_empty(config.environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")
                               .value_or(config.profile_setting("ec2_metadata_service_endpoint_mode").value_or("ipv4"));
  return to_lower(mode) == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

/// Instance metadata in three questions: token, role name, credentials.
class MetadataService {
 public:
  explicit MetadataService(const CredentialContext& context)
      : context_(context), origin_(metadata_origin(context.config)), limits_(short_limits(metadata_timeout_ms(context.config))) {}

  Sourced credentials() {
    auto token = ask("PUT", kTokenPath, {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}});
    if (!token || token->status != 200) return std::nullopt;  // not on EC2, or version 2 is turned off
    const Headers with_token = {{"X-aws-ec2-metadata-token", std::string(trim(as_text(token->body)))}};
    auto role = ask("GET", kRolePath, with_token);
    if (!role || role->status != 200) return std::nullopt;  // an instance without a profile
    const std::string name(trim(split(as_text(role->body), '\n').front()));
    if (name.empty()) return std::nullopt;
    const std::string source = fmt::format("the instance's role {}", printable(name));
    auto answer = ask("GET", std::string(kRolePath) + name, with_token);
    if (!answer || answer->status != 200)
      return fail(Code::kCredentials, fmt::format("the instance metadata service gives no credentials of {}", source));
    if (const auto json = parse_json(as_text(answer->body), source); json && text_at(*json, "Code", "Success") != "Success") {
      return fail(Code::kCredentials, fmt::format("the instance metadata service refuses the credentials of {}: {}", source,
                                                  printable(text_at(*json, "Message", text_at(*json, "Code")))));
    }
    ICECORE_ASSIGN(Credentials credentials, credentials_from_json(as_text(answer->body), "Token", source));
    return credentials;
  }

 private:
  HttpResult ask(std::string method, std::string_view path, Headers headers) {
    return context_.local_transport.send({.method = std::move(method),
                                          .origin = origin_,
                                          .path = std::string(path),
                                          .query = {},
                                          .headers = std::move(headers),
                                          .body = {},
                                          .limits = limits_});
  }

  const CredentialContext& context_;
  std::string origin_;
  HttpLimits limits_;
};

}  // namespace

Sourced container_credentials(const CredentialContext& context) {
  const Environment& environment = context.config.environment;
  std::string url;
  if (const auto relative = non_empty(environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    url = "http://169.254.170.2" + *relative;
  } else if (const auto full = non_empty(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    url = *full;
  } else {
    return std::nullopt;
  }
  ICECORE_ASSIGN(HttpRequest request, request_to(url));
  if (!may_receive_token(request)) {
    return fail(Code::kCredentials,
                fmt::format("the container's credential address {} is neither https nor a loopback or container host", printable(request.origin)));
  }
  ICECORE_ASSIGN(std::string token, container_token(environment));
  request.headers = {{"Accept", "application/json"}};
  if (!token.empty()) request.headers.push_back({"Authorization", std::move(token)});
  request.limits = short_limits(2'000);
  const std::string source = "the container's endpoint";
  for (int attempt = 1;; ++attempt) {
    auto reply = context.local_transport.send(request);
    if (reply && reply->status == 200) {
      ICECORE_ASSIGN(Credentials credentials, credentials_from_json(as_text(reply->body), "Token", source));
      return credentials;
    }
    const std::string reason = reply ? fmt::format("HTTP status {}", reply->status) : reply.error().message;
    if (attempt == 3 || (reply && reply->status < 500)) {
      return fail(Code::kCredentials, fmt::format("{} {} gives no credentials: {}", source, printable(request.origin), reason));
    }
    context.clock.sleep_for(500);
  }
}

Sourced metadata_credentials(const CredentialContext& context) {
  if (to_lower(context.config.environment("AWS_EC2_METADATA_DISABLED").value_or("")) == "true") return std::nullopt;
  return MetadataService(context).credentials();
}

}  // namespace icecore::aws
