// DSSE envelopes (github.com/secure-systems-lab/dsse, protocol 1.0) around in-toto Statements (in-toto attestation v1).
#pragma once

#include <string>
#include <string_view>

#include "core/json.h"
#include "evidence/signature.h"

namespace icecore::evidence {

inline constexpr std::string_view kInTotoPayloadType = "application/vnd.in-toto+json";
inline constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";

/// The bytes that are signed: "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body.
std::string pre_authentication_encoding(std::string_view payload_type, std::string_view payload);

struct Envelope {
  std::string payload_type;
  std::string payload;
  std::string key_id;
  std::string signature;  ///< raw bytes
};

Result<Envelope> sign_envelope(const SigningKey& key, std::string_view payload_type, std::string payload);

/// The one form we write: compact JSON and a newline.
std::string format_envelope(const Envelope& envelope);

/// Parses what format_envelope writes and nothing else: a changed byte anywhere, also one that would not matter to JSON or base64, is kIntegrity.
Result<Envelope> parse_envelope(std::string_view text, std::string_view what);

/// kIntegrity unless `key` made this signature.
Result<void> verify_envelope(const Envelope& envelope, const PublicKey& key, std::string_view what);

/// A Statement about one file: `sha256` of `subject`, as a compact JSON text.
std::string format_statement(std::string_view subject, std::string_view sha256, std::string_view predicate_type, const OrderedJson& predicate);

}  // namespace icecore::evidence
