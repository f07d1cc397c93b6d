#include "auth/authenticator.h"

#include <algorithm>

#include "auth/sigv4.h"
#include "util/digest.h"
#include "util/encoding.h"

namespace icelab {
namespace {

void check_time(const std::string& stamp, const Authorization& authorization, const AuthRules& rules, const Clock& clock) {
  const auto time = parse_amz_date(stamp);
  if (!time) throw AuthFailure{AuthProblem::malformed_signature, "Date must be in ISO-8601 'basic format'. Got '" + stamp + "'."};
  if (stamp.substr(0, 8) != authorization.date)
    throw AuthFailure{AuthProblem::wrong_scope, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."};
  const Millis now = clock.now();
  if (*time < now - rules.max_skew)
    throw AuthFailure{AuthProblem::signature_expired,
                      "Signature expired: " + stamp + " is now earlier than " + amz_date(now - rules.max_skew) + " (" + amz_date(now) + " - 5 min.)"};
  if (*time > now + rules.max_skew)
    throw AuthFailure{AuthProblem::signature_early, "Signature not yet current: " + stamp + " is still later than " + amz_date(now + rules.max_skew) +
                                                        " (" + amz_date(now) + " + 5 min.)"};
}

// AWS insists on "host" and on every x-amz- header that is there.
void check_signed_headers(const Request& request, const Authorization& authorization) {
  const auto& names = authorization.signed_headers;
  const auto is_signed = [&](const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  if (!is_signed("host")) throw AuthFailure{AuthProblem::mismatch, "'Host' must be a 'SignedHeader' in the AWS Authorization."};
  for (const auto& [name, value] : request.headers) {
    const std::string lower = lowercase(name);
    if (lower.starts_with("x-amz-") && !is_signed(lower))
      throw AuthFailure{AuthProblem::mismatch, "There were headers present in the request which were not signed: " + lower};
  }
}

std::string payload_hash(const Request& request, const AuthRules& rules) {
  const std::string claimed(request.header("x-amz-content-sha256"));
  if (claimed == "UNSIGNED-PAYLOAD" && rules.unsigned_payload) return claimed;
  if (claimed.empty() && rules.service == "s3")
    throw AuthFailure{AuthProblem::mismatch, "Missing required header for this request: x-amz-content-sha256"};
  std::string actual = hex_encode(sha256(request.body));
  if (!claimed.empty() && claimed != actual)
    throw AuthFailure{AuthProblem::wrong_payload, "x-amz-content-sha256 is not the SHA-256 of the body that arrived."};
  return actual;
}

void check_session(const Request& request, const Credential& credential, const Clock& clock) {
  if (!equal_constant_time(request.header("x-amz-security-token"), credential.token))
    throw AuthFailure{AuthProblem::bad_token, "The security token included in the request is invalid."};
  if (credential.expiration && *credential.expiration <= clock.now())
    throw AuthFailure{AuthProblem::expired_token, "The security token included in the request is expired"};
}

}  // namespace

AuthResult authenticate(const Request& request, const AuthRules& rules, const CredentialStore& store, const Clock& clock) {
  const std::string_view header = request.header("authorization");
  if (header.empty()) throw AuthFailure{AuthProblem::no_signature, "Missing Authentication Token"};
  const auto authorization = parse_authorization(header);
  if (!authorization)
    throw AuthFailure{AuthProblem::malformed_signature, "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters."};
  auto credential = store.find(authorization->access_key);
  if (!credential) throw AuthFailure{AuthProblem::unknown_key, "The security token included in the request is invalid."};
  if (authorization->service != rules.service)
    throw AuthFailure{AuthProblem::wrong_scope, "Credential should be scoped to correct service: '" + rules.service + "'."};
  const std::string stamp(request.header("x-amz-date"));
  check_time(stamp, *authorization, rules, clock);
  check_signed_headers(request, *authorization);
  const auto canonical = canonical_request(request, authorization->signed_headers, payload_hash(request, rules), rules.service);
  const std::string expected = canonical ? sign(credential->secret, *authorization, string_to_sign(stamp, authorization->scope(), *canonical)) : "";
  if (!equal_constant_time(expected, authorization->signature))
    throw AuthFailure{AuthProblem::mismatch,
                      "The request signature we calculated does not match the signature you provided. Check your AWS "
                      "Secret Access Key and signing method. Consult the service documentation for details."};
  check_session(request, *credential, clock);
  return {std::move(*credential), authorization->region};
}

}  // namespace icelab
