// The steps of verify_case and what they share. Internal to evidence/.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "evidence/dsse.h"
#include "evidence/manifest.h"
#include "evidence/verify.h"

namespace icecore::evidence {

/// What a file should hash to, and who says so.
struct Expectation {
  std::string sha256;
  std::string says;  ///< "ledger line 12", "MANIFEST.sha256 line 3"
};

class Verification {
 public:
  Verification(Path folder, const VerifyOptions& options) : folder_(std::move(folder)), options_(options) {}
  Result<VerifyReport> run();

 private:
  // verify_ledger.cpp: the chain, the signatures, the manifest as a document
  Result<void> read_chain();
  Result<void> check_checkpoints();
  Result<void> check_checkpoint(const CheckpointRecord& record);
  Result<void> check_timestamps(const CheckpointRecord& record);
  Result<void> load_manifest();
  Result<void> check_manifest_signature(std::string_view manifest);
  Result<Envelope> checked_envelope(const std::string& relative);
  const PublicKey* key(const std::string& key_id);
  Result<std::string> hash_of_lines(std::uint64_t lines) const;

  // verify.cpp: the files
  void expect_files();
  Result<void> hash_files();
  Result<void> check_file(const CaseFile& file);
  Result<void> check_images();
  void report_missing();
  void remark_open_acts();
  bool may_be_unlisted(const std::string& path) const;
  Result<std::string> read(const std::string& relative) const;
  bool is_there(const std::string& relative) const;
  void add(Problem problem);

  const Path folder_;
  const VerifyOptions& options_;
  std::mutex mutex_;  // guards report_ while files are hashed
  VerifyReport report_;
  LedgerSummary summary_;
  std::vector<std::uint64_t> line_ends_;  // byte behind each line
  std::map<std::string, PublicKey> keys_;
  std::set<std::string> signatures_;  // files of signatures/ that the ledger announces
  std::optional<ManifestContent> manifest_;
  std::map<std::string, Expectation> ledger_says_, manifest_says_;
  std::map<std::string, std::string> in_flight_;  // path → SHA-256 of files a killed run was giving their name
  std::vector<CaseFile> files_;
};

}  // namespace icecore::evidence
