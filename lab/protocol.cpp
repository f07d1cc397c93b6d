#include "protocol.h"

#include <nlohmann/json.hpp>

#include "util/encoding.h"

namespace icelab {
namespace {

using nlohmann::json;

bool is_xml(const std::string& service) { return service == "ec2" || service == "sts" || service == "iam"; }

std::string xml_error(const std::string& service, const ApiError& error, const std::string& request_id) {
  const std::string code = xml_escape(error.code);
  const std::string message = xml_escape(error.message);
  if (service == "ec2")
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>" + code + "</Code><Message>" + message +
           "</Message></Error></Errors><RequestID>" + request_id + "</RequestID></Response>";
  const std::string ns = service == "sts" ? "https://sts.amazonaws.com/doc/2011-06-15/" : "https://iam.amazonaws.com/doc/2010-05-08/";
  return "<ErrorResponse xmlns=\"" + ns + "\"><Error><Type>" + (error.status < 500 ? "Sender" : "Receiver") + "</Type><Code>" + code +
         "</Code><Message>" + message + "</Message></Error><RequestId>" + request_id + "</RequestId></ErrorResponse>";
}

// One problem as the three families of services name it.
struct Names {
  ApiError ec2, query, json_services;
};

Names names_of(const AuthFailure& failure) {
  const std::string& m = failure.message;
  const ApiError ec2_refusal("AuthFailure", "AWS was not able to validate the provided access credentials", 401);
  switch (failure.problem) {
    case AuthProblem::no_signature:
      return {{"MissingAuthenticationToken", m, 403}, {"MissingAuthenticationToken", m, 403}, {"MissingAuthenticationTokenException", m, 403}};
    case AuthProblem::malformed_signature: return {{"IncompleteSignature", m}, {"IncompleteSignature", m}, {"IncompleteSignatureException", m}};
    case AuthProblem::unknown_key:
    case AuthProblem::bad_token: return {ec2_refusal, {"InvalidClientTokenId", m, 403}, {"UnrecognizedClientException", m, 403}};
    case AuthProblem::expired_token: return {{"RequestExpired", "Request has expired."}, {"ExpiredToken", m, 403}, {"ExpiredTokenException", m, 403}};
    case AuthProblem::signature_expired: return {{"RequestExpired", m}, {"SignatureDoesNotMatch", m, 403}, {"InvalidSignatureException", m, 403}};
    case AuthProblem::signature_early:
    case AuthProblem::wrong_scope:
    case AuthProblem::wrong_payload:
    case AuthProblem::mismatch: break;
  }
  const bool scope = failure.problem == AuthProblem::wrong_scope;
  const ApiError ec2("SignatureDoesNotMatch", m, 403);
  return {scope ? ec2_refusal : ec2, {"SignatureDoesNotMatch", m, 403}, {"InvalidSignatureException", m, 403}};
}

}  // namespace

Reply error_reply(const std::string& service, const ApiError& error, const std::string& request_id) {
  Reply reply;
  reply.status = error.status;
  if (service == "s3") {
    reply.headers.emplace_back("Content-Type", "application/xml");
    // A bucket of another region says of which.
    if (error.status == 301) reply.headers.emplace_back("x-amz-bucket-region", error.reason);
    reply.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + xml_escape(error.code) + "</Code><Message>" +
                 xml_escape(error.message) + "</Message><RequestId>" + request_id + "</RequestId></Error>";
    return reply;
  }
  if (is_xml(service)) {
    reply.headers.emplace_back("Content-Type", "text/xml;charset=UTF-8");
    reply.body = xml_error(service, error, request_id);
    return reply;
  }
  json body = {{"message", error.message}};
  if (service == "ebs") {
    // Modelled errors have Message and Reason; the front door's own (signatures) say "message".
    if (!error.reason.empty()) body = {{"Message", error.message}, {"Reason", error.reason}};
    reply.headers.emplace_back("x-amzn-ErrorType", error.code);
    reply.headers.emplace_back("Content-Type", "application/json");
  } else {
    body["__type"] = error.code;
    reply.headers.emplace_back("Content-Type", "application/x-amz-json-1.1");
  }
  reply.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return reply;
}

ApiError s3_auth_error(const AuthFailure& failure) {
  const std::string& m = failure.message;
  switch (failure.problem) {
    case AuthProblem::no_signature: return {"AccessDenied", "Access Denied", 403};
    case AuthProblem::malformed_signature: return {"AuthorizationHeaderMalformed", m, 400};
    case AuthProblem::unknown_key: return {"InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403};
    case AuthProblem::bad_token: return {"InvalidToken", "The provided token is malformed or otherwise invalid.", 400};
    case AuthProblem::expired_token: return {"ExpiredToken", "The provided token has expired.", 400};
    case AuthProblem::signature_expired:
    case AuthProblem::signature_early:
      return {"RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", 403};
    case AuthProblem::wrong_scope: return {"AuthorizationHeaderMalformed", m, 400};
    case AuthProblem::wrong_payload:
      return {"XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.", 400};
    case AuthProblem::mismatch: break;
  }
  return {"SignatureDoesNotMatch", m, 403};
}

ApiError auth_error(const std::string& service, const AuthFailure& failure) {
  if (service == "s3") return s3_auth_error(failure);
  const Names names = names_of(failure);
  return service == "ec2" ? names.ec2 : is_xml(service) ? names.query : names.json_services;
}

ApiError throttle_error(const std::string& service) {
  if (service == "ec2") return {"RequestLimitExceeded", "Request limit exceeded.", 503};
  if (service == "s3") return {"SlowDown", "Please reduce your request rate.", 503};
  if (service == "ebs") return {"RequestThrottledException", "Rate exceeded", 400, "ACCOUNT_THROTTLED"};
  if (is_xml(service)) return {"Throttling", "Rate exceeded", 400};
  return {"ThrottlingException", "Rate exceeded", 400};
}

ApiError server_error(const std::string& service) {
  if (service == "ec2") return {"InternalError", "An internal error has occurred", 500};
  if (service == "s3") return {"InternalError", "We encountered an internal error. Please try again.", 500};
  if (service == "ebs") return {"InternalServerException", "An internal error has occurred", 500};
  if (is_xml(service)) return {"InternalFailure", "The request processing has failed because of an unknown error, exception or failure.", 500};
  return {"InternalFailure", "An internal error has occurred", 500};
}

}  // namespace icelab
