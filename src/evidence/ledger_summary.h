// What the ledger remembers, as resume, cleanup and verification ask for it. Built entry by entry; holds no file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "evidence/entry.h"

namespace icecore::evidence {

/// A file of the case as its last outcome states it.
struct FileRecord {
  std::string path;  ///< relative to the case, '/'-separated
  std::string sha256;
  std::uint64_t size = 0;
  std::string source;     ///< where the bytes came from, in words
  std::uint64_t seq = 0;  ///< the outcome's line
};

/// Something that was created outside (a snapshot, a volume, an instance), from `created` of an outcome.
struct ResourceRecord {
  std::string kind;  ///< "snapshot", "volume", "instance", …
  std::string id;
  Json detail;            ///< the whole object of the outcome
  std::uint64_t seq = 0;  ///< the outcome's line
  std::string run;        ///< the run that made it
  bool removed = false;   ///< a later outcome lists it under `removed`
  bool evidence = false;  ///< `"evidence": true`: cleanup may never delete it
};

/// The state of a snapshot's block database at a moment: its first `blocks` rows hash to `sha256` (image/block_database.h, BlockLog).
struct ImageSeal {
  std::uint64_t blocks = 0;
  std::string sha256;
  std::uint64_t seq = 0;
};

struct RunRecord {
  std::string run;
  std::uint64_t seq = 0;  ///< the intent's line
  bool finished = false;  ///< an outcome was written
};

struct CheckpointRecord {
  std::uint64_t number = 0;
  std::string file;  ///< signatures/checkpoint-NNNN.dsse.json
  std::string key;   ///< key id
  std::string run;
  std::uint64_t seq = 0;
  std::string head;        ///< sha256 of that line
  bool settled = false;    ///< its run wrote another line: the signature had been written by then
  bool abandoned = false;  ///< another run follows at once: this one was killed before the signature was written
};

/// Not thread-safe.
class LedgerSummary {
 public:
  /// Entries in order.
  void add(const Entry& entry);

  std::uint64_t count() const { return count_; }
  const std::string& head() const { return head_; }

  /// Intents that have no outcome, in order: what was in flight when a run was killed (or is in flight now).
  std::vector<Entry> open_intents() const;
  // Of a temporary they give a value, so that `for (… : ledger.summary().files())` walks something that lives.
  const std::map<std::string, FileRecord>& files() const& { return files_; }
  std::map<std::string, FileRecord> files() && { return std::move(files_); }
  const std::vector<ResourceRecord>& resources() const& { return resources_; }
  std::vector<ResourceRecord> resources() && { return std::move(resources_); }
  /// By the image's relative path, in order.
  const std::map<std::string, std::vector<ImageSeal>>& seals() const& { return seals_; }
  std::map<std::string, std::vector<ImageSeal>> seals() && { return std::move(seals_); }
  const std::vector<RunRecord>& runs() const& { return runs_; }
  std::vector<RunRecord> runs() && { return std::move(runs_); }
  const std::vector<CheckpointRecord>& checkpoints() const& { return checkpoints_; }
  std::vector<CheckpointRecord> checkpoints() && { return std::move(checkpoints_); }
  /// AWS's request ids of every call that was recorded one by one.
  const std::set<std::string, std::less<>>& requests() const& { return requests_; }
  std::set<std::string, std::less<>> requests() && { return std::move(requests_); }
  /// No run, or the last one wrote its outcome: the case has a manifest.
  bool finished() const { return runs_.empty() || runs_.back().finished; }

 private:
  void add_outcome(const Entry& entry);
  void add_resources(const Entry& entry);

  std::uint64_t count_ = 0;
  std::string head_{kGenesis};
  std::map<std::uint64_t, Entry> open_;
  std::map<std::string, FileRecord> files_;
  std::vector<ResourceRecord> resources_;
  std::map<std::string, std::vector<ImageSeal>> seals_;
  std::vector<RunRecord> runs_;
  std::vector<CheckpointRecord> checkpoints_;
  std::set<std::string, std::less<>> requests_;
};

}  // namespace icecore::evidence
