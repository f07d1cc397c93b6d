// Signed checkpoints of the ledger, and the signature over the manifest.
#pragma once

#include <string>

#include "evidence/dsse.h"
#include "evidence/ledger_summary.h"

namespace icecore::evidence {

inline constexpr std::string_view kCheckpointType = "https://icecore.dev/checkpoint/v1";
inline constexpr std::string_view kManifestType = "https://icecore.dev/manifest/v1";
inline constexpr std::string_view kManifestFile = "MANIFEST.sha256";
inline constexpr std::string_view kManifestSignature = "signatures/manifest.dsse.json";

/// signatures/checkpoint-0007.dsse.json
std::string checkpoint_file(std::uint64_t number);
/// signatures/KEYID.pub.pem
std::string key_file(std::string_view key_id);

/// What a checkpoint states: `head -n ENTRIES ledger.jsonl | sha256sum` gives the subject's digest.
struct CheckpointClaim {
  std::uint64_t entries = 0;
  std::string prefix_sha256;  ///< of the first `entries` lines as bytes
  std::string head;           ///< the last of these lines' own sha256
  std::string case_id, run, time;
};

Result<std::string> format_checkpoint(const SigningKey& key, const CheckpointClaim& claim);
/// Reads the claim out of an envelope whose signature was checked.
Result<CheckpointClaim> parse_checkpoint(const Envelope& envelope, std::string_view what);

Result<std::string> format_manifest_signature(const SigningKey& key, std::string_view manifest_sha256, std::string_view case_id,
                                              std::string_view time);
/// The SHA-256 of the manifest that the envelope vouches for.
Result<std::string> parse_manifest_signature(const Envelope& envelope, std::string_view what);

}  // namespace icecore::evidence
