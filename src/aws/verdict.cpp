#include "aws/verdict.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "aws/xml.h"
#include "core/json.h"
#include "core/text.h"

namespace icecore::aws {
namespace {

constexpr std::size_t kMessageBytes = 600;

/// botocore retries/standard.py, ThrottledRetryableChecker, and what EC2 and the EBS direct APIs add; EBS spells its own both ways.
constexpr std::array<std::string_view, 17> kThrottled = {"Throttling",
                                                         "ThrottlingException",
                                                         "ThrottledException",
                                                         "RequestThrottledException",
                                                         "RequestThrottleException",
                                                         "RequestThrottled",
                                                         "TooManyRequestsException",
                                                         "ProvisionedThroughputExceededException",
                                                         "TransactionInProgressException",
                                                         "RequestLimitExceeded",
                                                         "BandwidthLimitExceeded",
                                                         "LimitExceededException",
                                                         "SlowDown",
                                                         "PriorRequestNotComplete",
                                                         "EC2ThrottledException",
                                                         "ConcurrentSnapshotLimitExceeded",
                                                         "SnapshotCreationPerVolumeRateExceeded"};
constexpr std::array<std::string_view, 5> kSkewed = {"InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch",
                                                     "AuthFailure"};
constexpr std::array<std::string_view, 3> kExpired = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"};
constexpr std::array<std::string_view, 8> kBadCredentials = {
    "InvalidClientTokenId", "UnrecognizedClientException",         "InvalidAccessKeyId",          "MissingAuthenticationToken", "IncompleteSignature",
    "InvalidToken",         "MissingAuthenticationTokenException", "IncompleteSignatureException"};
constexpr std::array<std::string_view, 6> kDenied = {"UnauthorizedOperation",        "AccessDenied",  "AccessDeniedException",
                                                     "Client.UnauthorizedOperation", "NotAuthorized", "UnauthorizedAccess"};
/// The last two: a body was damaged on its way, which S3 saw by its sums.
constexpr std::array<std::string_view, 7> kPassing = {"RequestTimeout",           "RequestTimeoutException", "InternalError",
                                                      "InternalServerException",  "ServiceUnavailable",      "BadDigest",
                                                      "XAmzContentSHA256Mismatch"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& codes, std::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

AwsError read_xml_error(const HttpReply& reply) {
  AwsError found;
  auto xml = parse_xml(as_text(reply.body), "error reply");
  if (!xml) {
    if (reply.status == 301) found.reason = header(reply.headers, "x-amz-bucket-region");
    return found;
  }
  // EC2: Response/Errors/Error, RequestID. STS and the Query protocol: ErrorResponse/Error, RequestId.
  pugi::xml_node error = xml->root.child("Errors").child("Error");
  if (!error) error = xml->root.child("Error");
  if (!error && std::string_view(xml->root.name()) == "Error") error = xml->root;
  found.code = child_text(error, "Code");
  found.message = child_text(error, "Message");
  // S3: the region that the bucket is in.
  if (reply.status == 301 || reply.status == 307 || found.code == "AuthorizationHeaderMalformed") {
    found.reason = header(reply.headers, "x-amz-bucket-region");
    if (found.reason.empty()) found.reason = child_text(error, "Region");
  }
  found.request_id = child_text(xml->root, "RequestID");
  if (found.request_id.empty()) found.request_id = child_text(xml->root, "RequestId");
  return found;
}

AwsError read_json_error(const HttpReply& reply) {
  AwsError found;
  found.code = header(reply.headers, "x-amzn-ErrorType");
  if (auto json = parse_json(as_text(reply.body), "error reply")) {
    if (found.code.empty()) found.code = text_at(*json, "__type", text_at(*json, "code"));
    found.message = text_at(*json, "message", text_at(*json, "Message"));
    found.reason = text_at(*json, "Reason", text_at(*json, "reason"));
  }
  // "com.amazonaws.x#Name" and "Name:http://…" are both Name.
  found.code = found.code.substr(0, found.code.find(':'));
  if (const std::size_t hash = found.code.rfind('#'); hash != std::string::npos) found.code.erase(0, hash + 1);
  return found;
}

Code code_of(const AwsError& error, int status) {
  const std::string_view code = error.code;
  if (is_one_of(kDenied, code)) return Code::kPermission;
  if (is_one_of(kBadCredentials, code) || is_one_of(kSkewed, code) || is_one_of(kExpired, code)) return Code::kCredentials;
  if (holds(code, "NotFound") || code.starts_with("NoSuch") || code == "TrailNotFoundException") return Code::kNotFound;
  if (code == "ValidationException" || code == "ValidationError" || holds(code, "Malformed") || code.starts_with("InvalidParameter") ||
      code == "InvalidArgument" || code.starts_with("Missing") || code.starts_with("UnknownParameter"))
    return Code::kInvalidArgument;
  if (holds(code, "InUse") || code.starts_with("Incorrect") || code == "ConflictException" || code == "IdempotentParameterMismatch" ||
      holds(code, "Duplicate") || holds(code, "ZoneMismatch"))
    return Code::kConflict;
  if (code.empty() && status == 403) return Code::kPermission;
  if (code.empty() && status == 404) return Code::kNotFound;
  return Code::kRemote;
}

// The action that AWS names as refused; empty where its words are others. It need not be the call's own: reading an encrypted snapshot fails for want
// of kms:Decrypt.
std::string_view refused_action(std::string_view message) {
  constexpr std::string_view kBefore = "is not authorized to perform: ";
  const std::size_t at = message.find(kBefore);
  if (at == std::string_view::npos) return {};
  const std::string_view action = message.substr(at + kBefore.size());
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-:";
  const std::string_view found = action.substr(0, action.find_first_not_of(kLetters));
  return holds(found, ":") ? found : std::string_view();
}

std::string advice(const Operation& operation, Code code, std::string_view message) {
  const std::string_view refused = refused_action(message);
  if (code == Code::kPermission && !refused.empty() && refused != operation.iam_action)
    return fmt::format("; the credentials need the IAM action {}. `icecore policy` prints the least policy for each command", refused);
  if (code == Code::kPermission && !operation.iam_action.empty()) {
    std::string text = fmt::format("; the credentials need the IAM action {}", operation.iam_action);
    if (!operation.also_needs.empty()) text += fmt::format(" (and, as the case may be, {})", operation.also_needs);
    return text + ". `icecore policy` prints the least policy for each command";
  }
  if (code == Code::kCredentials) return "; check the credentials in use, the clock of this machine, and that the region is enabled for the account";
  return "";
}

ServiceError service_error(const Operation& operation, const AwsError& said, const HttpReply& reply) {
  ServiceError error;
  error.code = code_of(said, reply.status);
  error.service = operation.service;
  error.action = operation.name;
  error.aws_code = said.code;
  error.reason = said.reason;
  error.request_id = said.request_id.empty() ? request_id(reply) : said.request_id;
  error.http_status = reply.status;
  std::string words = printable(said.message.substr(0, kMessageBytes));
  if (words.empty()) words = fmt::format("HTTP status {}", reply.status);
  std::string codes = said.code.empty() ? "no error code" : printable(said.code);
  if (!said.reason.empty()) codes += ' ' + printable(said.reason);
  error.message = fmt::format("{} {}: {} ({}, request id {}){}", operation.service, operation.name, words, codes,
                              error.request_id.empty() ? "unknown" : printable(error.request_id), advice(operation, error.code, said.message));
  return error;
}

Verdict judge_transport(const Operation& operation, const TransportError& broken) {
  Verdict verdict;
  verdict.error = ServiceError(static_cast<const Error&>(broken));
  verdict.error.service = operation.service;
  verdict.error.action = operation.name;
  verdict.error.message = fmt::format("{} {}: {}", operation.service, operation.name, broken.message);
  using Kind = TransportError::Kind;
  verdict.not_sent = broken.kind == Kind::kNotSent || broken.kind == Kind::kUntrusted || broken.kind == Kind::kInternal;
  verdict.outcome_unknown = !verdict.not_sent;
  verdict.next = broken.kind == Kind::kNotSent || broken.kind == Kind::kBroken ? Next::kRetry : Next::kFail;
  return verdict;
}

Next next_of(const AwsError& said, int status) {
  if (is_one_of(kThrottled, said.code) || status == 429) return Next::kThrottled;
  if (is_one_of(kExpired, said.code)) return Next::kRefreshCredentials;
  if (is_one_of(kSkewed, said.code)) return Next::kFixClock;
  // "Server.InsufficientInstanceCapacity" comes with status 500: waiting a second does not help, another zone or type does.
  if (said.code.starts_with("Insufficient")) return Next::kFail;
  if (is_one_of(kPassing, said.code) || status == 500 || status == 502 || status == 503 || status == 504) return Next::kRetry;
  if (code_of(said, status) == Code::kNotFound) return Next::kNotFound;
  return Next::kFail;
}

}  // namespace

AwsError read_error(Protocol protocol, const HttpReply& reply) {
  const bool xml = protocol == Protocol::kEc2Query || protocol == Protocol::kQuery;
  AwsError error = xml ? read_xml_error(reply) : read_json_error(reply);
  if (error.request_id.empty()) error.request_id = request_id(reply);
  return error;
}

std::string request_id(const HttpReply& reply) {
  for (const std::string_view name : {"x-amzn-RequestId", "x-amz-request-id"}) {
    if (const std::string_view value = header(reply.headers, name); !value.empty()) return std::string(value);
  }
  const std::string_view body = as_text(reply.body);
  if (!body.starts_with('<')) return "";
  for (const std::string_view tag : {"<requestId>", "<RequestId>"}) {
    const std::size_t begin = body.find(tag);
    const std::size_t end = body.find('<', begin == std::string_view::npos ? begin : begin + 1);
    if (begin != std::string_view::npos && end != std::string_view::npos) {
      return std::string(body.substr(begin + tag.size(), std::min<std::size_t>(end - begin - tag.size(), 128)));
    }
  }
  return "";
}

Verdict judge(const Operation& operation, Protocol protocol, const HttpResult& result) {
  if (!result) return judge_transport(operation, result.error());
  Verdict verdict;
  if (result->status >= 200 && result->status < 300) {
    verdict.next = Next::kDone;
    return verdict;
  }
  const AwsError said = read_error(protocol, *result);
  verdict.error = service_error(operation, said, *result);
  verdict.next = next_of(said, result->status);
  verdict.outcome_unknown = verdict.next == Next::kRetry;
  return verdict;
}

}  // namespace icecore::aws
