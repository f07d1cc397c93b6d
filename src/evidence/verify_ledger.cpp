// verify_case, first half: the chain of the ledger, who signed it, and the manifest as a document.
#include <fcntl.h>
#include <fmt/format.h>

#include "core/hash.h"
#include "core/text.h"
#include "evidence/case_path.h"
#include "evidence/checkpoint.h"
#include "evidence/ledger.h"
#include "evidence/timestamping.h"
#include "evidence/verification.h"

namespace icecore::evidence {
namespace {

constexpr std::string_view kLedgerFile = "ledger.jsonl";

bool is_evidence_problem(const Error& error) { return error.code != Code::kIo && error.code != Code::kPermission && error.code != Code::kInternal; }

}  // namespace

Result<void> Verification::read_chain() {
  std::uint64_t end = 0;
  const Path file = folder_ / kLedgerFile;
  ICECORE_ASSIGN(const FileDescriptor regular, open_beneath(folder_, kLedgerFile));  // refuses links before anything is read
  const auto visit = [&](const Entry& entry, std::uint64_t offset) -> Result<void> {
    if (entry.seq > 1) line_ends_.push_back(offset);
    summary_.add(entry);
    return {};
  };
  const Result<LedgerTail> tail = read_ledger(file, visit);
  report_.entries = summary_.count();
  if (!tail) {
    if (!is_evidence_problem(tail.error())) return Failure(tail.error());
    const std::uint64_t line = summary_.count() + 1;
    add({"ledger",
         std::string(kLedgerFile),
         line,
         tail.error().where ? tail.error().where->offset : std::nullopt,
         {},
         tail.error().message + "; nothing behind it can be trusted"});
    end = tail.error().where ? tail.error().where->offset.value_or(0) : 0;
  } else {
    end = tail->offset;
    if (!tail->bytes.empty())
      add({"torn",
           std::string(kLedgerFile),
           summary_.count() + 1,
           tail->offset,
           {},
           fmt::format(
               "the last line is incomplete ({} bytes): cut off, or the run that wrote it was killed; running the command again sets it aside",
               tail->bytes.size())});
  }
  if (summary_.count() > 0) line_ends_.push_back(end);
  report_.finished = summary_.finished();
  if (summary_.count() == 0 && report_.ok()) add({"ledger", std::string(kLedgerFile), 1, 0, {}, "the ledger is empty: every case has a first line"});
  return {};
}

Result<std::string> Verification::hash_of_lines(std::uint64_t lines) const {
  ICECORE_ASSIGN(const FileDescriptor file, open_beneath(folder_, kLedgerFile));
  const std::uint64_t size = lines == 0 ? 0 : line_ends_.at(lines - 1);
  Sha256 hash;
  Bytes piece(std::size_t{1} << 18);
  for (std::uint64_t offset = 0; offset < size;) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), size - offset));
    ICECORE_CHECK(read_exactly(file.get(), std::span(piece).first(count), offset, folder_ / kLedgerFile));
    hash.update(ByteView(piece).first(count));
    offset += count;
  }
  return to_hex(hash.finish());
}

const PublicKey* Verification::key(const std::string& key_id) {
  if (const auto known = keys_.find(key_id); known != keys_.end()) return &known->second;
  const std::string relative = key_file(key_id);
  const Result<std::string> checked = checked_relative(relative);
  const Result<std::string> pem = checked ? read(*checked) : checked;
  Result<PublicKey> loaded = pem ? PublicKey::from_pem(*pem, relative) : Result<PublicKey>(Failure(pem.error()));
  if (!loaded || loaded->key_id() != key_id || loaded->pem() != *pem) {
    add({"signature", relative, {}, {}, {}, "the public key that the signatures name is missing or another"});
    return nullptr;
  }
  if (options_.trusted_key && *options_.trusted_key != key_id)
    add({"signature", relative, {}, {}, {}, fmt::format("signed by the key {}, and {} is the one to be trusted", key_id, *options_.trusted_key)});
  report_.notes.push_back(fmt::format("signed by the Ed25519 key {}", key_id));
  return &keys_.emplace(key_id, std::move(*loaded)).first->second;
}

Result<Envelope> Verification::checked_envelope(const std::string& relative) {
  ICECORE_ASSIGN(const std::string text, read(relative));
  ICECORE_ASSIGN(Envelope envelope, parse_envelope(text, relative));
  const PublicKey* signer = key(envelope.key_id);
  if (signer == nullptr) return fail(Code::kIntegrity, fmt::format("{} cannot be checked: its key is not in the case", relative));
  ICECORE_CHECK(verify_envelope(envelope, *signer, relative));
  return envelope;
}

Result<void> Verification::check_checkpoints() {
  std::uint64_t number = 0;
  for (const CheckpointRecord& record : summary_.checkpoints()) {
    ++number;
    if (record.number != number || record.file != checkpoint_file(number)) {
      add({"ledger", std::string(kLedgerFile), record.seq, {}, {}, "a checkpoint that is out of order"});
      continue;
    }
    signatures_.insert(record.file);
    if (const Result<void> checked = check_checkpoint(record); !checked) {
      if (!is_evidence_problem(checked.error())) return checked;
      add({"signature", record.file, {}, {}, {}, to_string(checked.error())});
    }
  }
  return {};
}

Result<void> Verification::check_checkpoint(const CheckpointRecord& record) {
  if (!is_there(record.file)) {
    const bool killed_there = record.abandoned || (!report_.finished && record.seq == summary_.count());
    if (killed_there) {
      report_.notes.push_back(fmt::format("{} was not written: the run was killed before it signed", record.file));
    } else {
      add({"missing", record.file, {}, {}, {}, fmt::format("ledger line {} announces this signature", record.seq)});
    }
    return {};
  }
  ICECORE_ASSIGN(const Envelope envelope, checked_envelope(record.file));
  ICECORE_ASSIGN(const CheckpointClaim claim, parse_checkpoint(envelope, record.file));
  ICECORE_ASSIGN(const std::string prefix, hash_of_lines(record.seq));
  if (claim.entries != record.seq || claim.head != record.head || claim.prefix_sha256 != prefix || envelope.key_id != record.key)
    return fail(Code::kIntegrity, fmt::format("signed for {} ledger lines that end in {}, and the ledger has others: it was rewritten", claim.entries,
                                              printable(claim.head)));
  ++report_.checkpoints;
  return check_timestamps(record);
}

Result<void> Verification::check_timestamps(const CheckpointRecord& record) {
  const std::string stem = record.file.substr(0, record.file.find('.'));
  if (!is_there(stem + ".tsr")) return {};
  ICECORE_ASSIGN(const std::string data, read(record.file));
  ICECORE_ASSIGN(const std::string query, read(stem + ".tsq"));
  ICECORE_ASSIGN(const std::string reply, read(stem + ".tsr"));
  ICECORE_ASSIGN(const TimestampReply stamp, check_timestamp_reply(data, query, reply, options_.tsa_ca_file));
  ++report_.timestamps;
  report_.notes.push_back(fmt::format("{} existed at {} ({})", record.file, to_iso8601(stamp.time, 0),
                                      options_.tsa_ca_file ? "the authority was checked" : "the authority was not checked: name its CA to do so"));
  return {};
}

Result<void> Verification::load_manifest() {
  const std::string name(kManifestFile);
  if (!is_there(name)) {
    if (report_.finished) add({"missing", name, {}, {}, {}, "the last run ended and wrote it"});
    if (is_there(std::string(kManifestSignature)))
      add({"added", std::string(kManifestSignature), {}, {}, {}, "a signature over a manifest that is not there"});
    return {};
  }
  ICECORE_ASSIGN(const std::string text, read(name));
  ICECORE_CHECK(check_manifest_signature(text));
  Result<ManifestContent> content = parse_manifest(text);
  if (!content) {
    add({"manifest", name, {}, {}, {}, content.error().message});
    return {};
  }
  // A run that was killed as it began leaves the manifest of the run before.
  if (!report_.finished && report_.ok()) {
    ICECORE_ASSIGN(const std::string before, hash_of_lines(summary_.runs().back().seq - 1));
    for (const ManifestLine& file : content->files)
      if (file.path == kLedgerFile && file.sha256 == before) {
        report_.notes.emplace_back("MANIFEST.sha256 is of the run before; the last one was killed as it began");
        return {};
      }
  }
  manifest_ = std::move(*content);
  return {};
}

Result<void> Verification::check_manifest_signature(std::string_view manifest) {
  const std::string name(kManifestSignature);
  const auto problem = [&](const Error& error) -> Result<void> {
    if (!is_evidence_problem(error)) return Failure(error);
    add({error.code == Code::kNotFound ? "missing" : "signature", name, {}, {}, {}, to_string(error)});
    return {};
  };
  const Result<Envelope> envelope = checked_envelope(name);
  if (!envelope) return problem(envelope.error());
  const Result<std::string> claimed = parse_manifest_signature(*envelope, name);
  if (!claimed) return problem(claimed.error());
  if (*claimed != to_hex(sha256(as_bytes(manifest))))
    add({"manifest", std::string(kManifestFile), {}, {}, {}, "it is not the manifest that was signed: a line was changed, added, removed or moved"});
  return {};
}

}  // namespace icecore::evidence
