#include "evidence/dsse.h"

#include <fmt/format.h>

#include "core/hash.h"

namespace icecore::evidence {

std::string pre_authentication_encoding(std::string_view payload_type, std::string_view payload) {
  return fmt::format("DSSEv1 {} {} {} {}", payload_type.size(), payload_type, payload.size(), payload);
}

Result<Envelope> sign_envelope(const SigningKey& key, std::string_view payload_type, std::string payload) {
  ICECORE_ASSIGN(const Bytes signature, key.sign(as_bytes(pre_authentication_encoding(payload_type, payload))));
  return Envelope{std::string(payload_type), std::move(payload), key.public_key().key_id(), std::string(as_text(signature))};
}

std::string format_envelope(const Envelope& envelope) {
  OrderedJson signature;
  signature["keyid"] = envelope.key_id;
  signature["sig"] = to_base64(as_bytes(envelope.signature));
  OrderedJson json;
  json["payloadType"] = envelope.payload_type;
  json["payload"] = to_base64(as_bytes(envelope.payload));
  json["signatures"] = OrderedJson::array({signature});
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

Result<Envelope> parse_envelope(std::string_view text, std::string_view what) {
  const auto bad = [&](std::string_view why) { return fail(Code::kIntegrity, fmt::format("{} is no envelope of ours: {}", what, why)); };
  const Result<Json> json = parse_json(text, what);
  if (!json) return bad(json.error().message);
  const Json& signatures = json_at(*json, {"signatures"});
  if (!signatures.is_array() || signatures.size() != 1) return bad("it has not exactly one signature");
  const Result<Bytes> payload = from_base64(text_at(*json, "payload"));
  const Result<Bytes> signature = from_base64(text_at(signatures[0], "sig"));
  if (!payload || !signature) return bad("payload or signature is not base64");
  Envelope envelope{text_at(*json, "payloadType"), std::string(as_text(*payload)), text_at(signatures[0], "keyid"), std::string(as_text(*signature))};
  if (format_envelope(envelope) != text) return bad("its bytes are not in canonical form, so something in it was changed");
  return envelope;
}

Result<void> verify_envelope(const Envelope& envelope, const PublicKey& key, std::string_view what) {
  if (envelope.key_id != key.key_id()) return fail(Code::kIntegrity, fmt::format("{} names the key {}, not {}", what, envelope.key_id, key.key_id()));
  const std::string message = pre_authentication_encoding(envelope.payload_type, envelope.payload);
  if (!key.verify(as_bytes(message), as_bytes(envelope.signature)))
    return fail(Code::kIntegrity, fmt::format("the signature of {} is wrong: it was changed after signing, or signed by another key", what));
  return {};
}

std::string format_statement(std::string_view subject, std::string_view sha256, std::string_view predicate_type, const OrderedJson& predicate) {
  OrderedJson what;
  what["name"] = subject;
  what["digest"]["sha256"] = sha256;
  OrderedJson statement;
  statement["_type"] = kStatementType;
  statement["subject"] = OrderedJson::array({what});
  statement["predicateType"] = predicate_type;
  statement["predicate"] = predicate;
  return statement.dump();
}

}  // namespace icecore::evidence
