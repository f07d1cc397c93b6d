// Credentials and where they come from, in the AWS CLI's order, refreshed before they expire.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "aws/config.h"
#include "aws/http.h"
#include "core/timestamp.h"

namespace icecore::aws {

struct Credentials {
  std::string access_key_id = {};
  std::string secret_access_key = {};
  std::string session_token = {};         ///< empty for long-term keys
  std::optional<Timestamp> expires = {};  ///< absent: they do not
  std::string source = {};                ///< "environment", "profile 'x' in ~/.aws/credentials": for messages and the ledger (no secret)
};

/// Gives credentials that are good now. Thread-safe; the same object serves every client of a run.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  /// kCredentials with what was tried and what to do. Fetches anew shortly before expiry; blocks other callers only when the old ones are spent.
  virtual Result<Credentials> get() = 0;
  /// The service refused them as expired: the next get() fetches anew.
  virtual void expire() = 0;
};

/// Asks for the token code of an MFA device ("arn:aws:iam::…:mfa/me"). Absent: MFA profiles fail with a message.
using MfaPrompt = std::function<Result<std::string>(const std::string& serial)>;

/// What the chain needs from outside; all outlive the source.
struct CredentialContext {
  const Config& config;
  HttpTransport& transport;        ///< for STS (proxies and CA bundle apply)
  HttpTransport& local_transport;  ///< for metadata endpoints: no proxies
  const Clock& clock;
  MfaPrompt mfa_prompt = nullptr;
};

/// The order: `--profile`'s files; environment; web identity; the profile's role (source_profile, credential_source, web_identity_token_file); its
/// static keys; credential_process; container endpoint; instance metadata (IMDSv2 only). Nothing is fetched before the first get().
std::unique_ptr<CredentialSource> make_credential_source(const CredentialContext& context);

/// Fixed credentials, for tests and assumed roles.
std::unique_ptr<CredentialSource> fixed_credentials(Credentials credentials);

}  // namespace icecore::aws
