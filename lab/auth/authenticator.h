// Is this request signed by a key that we know, rightly and in time?
#pragma once

#include <string>

#include "auth/credentials.h"
#include "http/message.h"

namespace icelab {

enum class AuthProblem {
  no_signature,
  malformed_signature,
  unknown_key,
  bad_token,  // a session's token is missing or wrong, or a long-lived key came with one
  expired_token,
  signature_expired,
  signature_early,
  wrong_scope,
  wrong_payload,  // the body is not what x-amz-content-sha256 says
  mismatch,
};

struct AuthFailure {
  AuthProblem problem;
  std::string message;
};

struct AuthResult {
  Credential credential;
  std::string region;
};

struct AuthRules {
  std::string service;            // the service whose endpoint this is
  bool unsigned_payload = false;  // the operation may send UNSIGNED-PAYLOAD
  Millis max_skew = 5 * 60 * 1000;
};

// Throws AuthFailure. Does not check the region's name: the caller knows which there are.
AuthResult authenticate(const Request& request, const AuthRules& rules, const CredentialStore& store, const Clock& clock);

}  // namespace icelab
