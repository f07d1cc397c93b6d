#include "evidence/checkpoint.h"

#include <fmt/format.h>

namespace icecore::evidence {
namespace {

struct Statement {
  std::string subject;
  std::string sha256;
  Json predicate;
};

Result<Statement> parse_statement(const Envelope& envelope, std::string_view predicate_type, std::string_view what) {
  const auto bad = [&](std::string_view why) { return fail(Code::kIntegrity, fmt::format("{}: {}", what, why)); };
  if (envelope.payload_type != kInTotoPayloadType) return bad("the payload is no in-toto statement");
  const Result<Json> json = parse_json(envelope.payload, what);
  if (!json) return bad(json.error().message);
  const Json& subjects = json_at(*json, {"subject"});
  if (text_at(*json, "_type") != kStatementType || text_at(*json, "predicateType") != predicate_type) return bad("a statement of another type");
  if (!subjects.is_array() || subjects.size() != 1) return bad("a statement about not exactly one subject");
  return Statement{text_at(subjects[0], "name"), text_at(json_at(subjects[0], {"digest"}), "sha256"), json_at(*json, {"predicate"})};
}

Result<std::string> sign_statement(const SigningKey& key, std::string statement) {
  return sign_envelope(key, kInTotoPayloadType, std::move(statement)).map([](const Envelope& envelope) { return format_envelope(envelope); });
}

std::string prefix_name(std::uint64_t entries) { return fmt::format("ledger.jsonl, first {} lines", entries); }

}  // namespace

std::string checkpoint_file(std::uint64_t number) { return fmt::format("signatures/checkpoint-{:04}.dsse.json", number); }

std::string key_file(std::string_view key_id) { return fmt::format("signatures/{}.pub.pem", key_id); }

Result<std::string> format_checkpoint(const SigningKey& key, const CheckpointClaim& claim) {
  OrderedJson predicate;
  predicate["case"] = claim.case_id;
  predicate["run"] = claim.run;
  predicate["time"] = claim.time;
  predicate["entries"] = claim.entries;
  predicate["head"] = claim.head;
  return sign_statement(key, format_statement(prefix_name(claim.entries), claim.prefix_sha256, kCheckpointType, predicate));
}

Result<CheckpointClaim> parse_checkpoint(const Envelope& envelope, std::string_view what) {
  ICECORE_ASSIGN(const Statement statement, parse_statement(envelope, kCheckpointType, what));
  const Json& predicate = statement.predicate;
  const Json& entries = json_at(predicate, {"entries"});
  if (!entries.is_number_unsigned()) return fail(Code::kIntegrity, fmt::format("{} does not say how many entries it covers", what));
  CheckpointClaim claim{entries.get<std::uint64_t>(), statement.sha256,          text_at(predicate, "head"),
                        text_at(predicate, "case"),   text_at(predicate, "run"), text_at(predicate, "time")};
  if (statement.subject != prefix_name(claim.entries)) return fail(Code::kIntegrity, fmt::format("{} has another subject", what));
  return claim;
}

Result<std::string> format_manifest_signature(const SigningKey& key, std::string_view manifest_sha256, std::string_view case_id,
                                              std::string_view time) {
  OrderedJson predicate;
  predicate["case"] = case_id;
  predicate["time"] = time;
  return sign_statement(key, format_statement(kManifestFile, manifest_sha256, kManifestType, predicate));
}

Result<std::string> parse_manifest_signature(const Envelope& envelope, std::string_view what) {
  ICECORE_ASSIGN(const Statement statement, parse_statement(envelope, kManifestType, what));
  if (statement.subject != kManifestFile) return fail(Code::kIntegrity, fmt::format("{} is about another file", what));
  return statement.sha256;
}

}  // namespace icecore::evidence
