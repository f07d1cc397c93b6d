// The folder of one case: layout, identity, lock, and every file written through the ledger. Layout: docs/ledger.md.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "core/file.h"
#include "evidence/ledger.h"
#include "evidence/signature.h"

namespace icecore::evidence {

/// What a case belongs to. Empty members are not bound yet (an image file has no account).
struct CaseBinding {
  std::string account;              ///< 12 digits
  std::string region;               ///< eu-central-1
  std::set<std::string> instances;  ///< i-…; grows
};

struct CaseIdentity {
  std::string id;       ///< case-…
  std::string created;  ///< ISO 8601
  CaseBinding binding;
};

/// What happens to a file that the ledger already knows with other bytes. Equal bytes are never written twice.
enum class Existing {
  kKeep,     ///< kConflict: collected evidence is not overwritten
  kReplace,  ///< results that every run makes anew (analysis/, report/)
};

class EvidenceWriter;

/// One run's hold on a case. Thread-safe. The lock falls with the object (or the process). A run that ends well calls finish_run; one that dies is
/// found by the next.
class CaseFolder {
 public:
  /// Makes the folder (0700), or opens it where it is a case already; takes the lock; opens the ledger; begins the run. kBusy names the process that
  /// holds it, kConflict a case of another account or region, or a folder that is something else, kIntegrity a broken ledger. `clock` outlives it.
  static Result<std::unique_ptr<CaseFolder>> open_or_create(const Path& folder, const CaseBinding& binding, RunIdentity run, const Clock& clock);

  /// The same for a case that must exist (kNotFound).
  static Result<std::unique_ptr<CaseFolder>> open(const Path& folder, RunIdentity run, const Clock& clock);

  ~CaseFolder();

  const Path& path() const { return folder_; }
  CaseIdentity identity() const;
  Ledger& ledger() const { return *ledger_; }

  /// Binds what was not known at creation (the account, after GetCallerIdentity) and adds instances. kConflict for another account or region.
  Result<void> bind(const CaseBinding& binding);

  /// Intent, atomic write (0600), outcome with SHA-256 and size. `relative` is '/'-separated UTF-8 inside the case, folders are made; `source` says
  /// where the bytes came from ("ec2 DescribeInstances, request 1f0…").
  Result<FileRecord> write_evidence(std::string_view relative, std::string_view bytes, std::string_view source, Existing existing = Existing::kKeep);

  /// The same for content that comes in pieces: nothing appears under the name before commit().
  Result<std::unique_ptr<EvidenceWriter>> begin_evidence(std::string_view relative, std::string_view source, Existing existing = Existing::kKeep);

  /// The content of a file of the case; never follows a link, never leaves the case.
  Result<std::string> read(std::string_view relative) const;

  /// The absolute path of a place in the case, for images and databases that other rooms write; parents are made. kInvalidArgument where it would
  /// leave the case.
  Result<Path> place(std::string_view relative) const;

  /// Writes into the ledger that the image's block database held `blocks` rows hashing to `sha256`.
  Result<void> seal_image(std::string_view relative, std::uint64_t blocks, std::string_view sha256);

  struct Finish {
    bool ok = true;
    std::string summary;                              ///< one line for the ledger: the verdict, or the error
    std::map<std::string, std::string> known_hashes;  ///< relative path → SHA-256 of big files whose hash is known (complete images)
    std::map<std::string, std::string> left_out;      ///< relative path → why the manifest cannot list it (images still being filled)
  };
  /// Ends the run: outcome, signed checkpoint, MANIFEST.sha256 and its signature, in this order. Close the images first. Time-stamps, if any, are
  /// made for the file that sign_checkpoint returns, before this. A run that ends with an error calls it too.
  Result<void> finish_run(const SigningKey& key, const Finish& finish);

  /// A signed checkpoint now (after the snapshots were made, before a long download). Returns its relative path.
  Result<std::string> sign_checkpoint(const SigningKey& key);

 private:
  friend class EvidenceWriter;
  CaseFolder(Path folder, FileDescriptor lock);
  static Result<std::unique_ptr<CaseFolder>> enter(const Path& folder, const CaseBinding& binding, RunIdentity run, const Clock& clock);
  Result<void> load_identity();
  Result<void> store_identity(const CaseIdentity& identity);
  Result<void> begin_run();
  Result<void> recover_writes();
  Result<std::string> writable(std::string_view relative) const;
  Result<bool> is_there(const std::string& relative, std::string_view sha256, Existing existing) const;
  Result<FileRecord> publish(const FileRecord& record, const Path& temporary);
  Result<void> publish_key(const SigningKey& key);
  Result<std::string> manifest(const Finish& finish, const std::string& ledger_sha256) const;

  const Path folder_;
  const FileDescriptor lock_;
  std::unique_ptr<Ledger> ledger_;
  std::uint64_t run_act_ = 0;
  mutable std::mutex mutex_;  // guards identity_
  CaseIdentity identity_;
  std::mutex write_mutex_;  // one file gets its name at a time
};

/// A file of the case while it is being written. Destroyed without commit(), it leaves nothing. Not thread-safe. Must not outlive the folder.
class EvidenceWriter {
 public:
  ~EvidenceWriter();
  Result<void> write(std::string_view bytes);
  /// Flushes, gives the file its name, writes the outcome.
  Result<FileRecord> commit();

 private:
  friend class CaseFolder;
  EvidenceWriter(CaseFolder& folder, std::string relative, Path final_path, std::string source, Existing existing);
  Result<void> flush_buffer();

  CaseFolder& folder_;
  const std::string relative_;
  const Path path_;
  const Path temporary_;
  FileDescriptor file_;
  const std::string source_;
  const Existing existing_;
  Sha256 hash_;
  std::string buffer_;
  std::uint64_t size_ = 0;
  bool done_ = false;
};

}  // namespace icecore::evidence
