// ledger.jsonl: the program's memory. Append-only, hash-chained, an intent before every act and an outcome after it (docs/ledger.md).
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "core/file.h"
#include "core/hash.h"
#include "evidence/ledger_summary.h"

namespace icecore::evidence {

/// How safe an entry is when the call returns. SIGKILL loses neither; power loss may lose a kLater entry, never a kNow one.
enum class Sync { kNow, kLater };

/// Thread-safe. One per case and process (the case's lock sees to that).
class Ledger {
 public:
  /// Opens or makes the file, checks the whole chain, and sets a torn last line aside in a note. kIntegrity names the line that is wrong. `clock`
  /// outlives the ledger.
  static Result<std::unique_ptr<Ledger>> open(const Path& file, RunIdentity run, const Clock& clock);

  /// Writes down that an act begins; returns its id for `conclude`. `body` has at least `"act": "aws-call" | "write-file" | …` (docs/ledger.md lists
  /// the members that summaries read). Acts that change anything outside are kNow; reading calls may be kLater.
  Result<std::uint64_t> intend(Json body, Sync sync = Sync::kNow);

  /// Writes down how the act ended: `"ok": true | false`, `error` where it failed, and `file`, `created`, `removed`, `image`, `request_id` as it
  /// applies.
  Result<void> conclude(std::uint64_t act, Json body, Sync sync = Sync::kNow);

  Result<void> note(Json body, Sync sync = Sync::kLater);

  /// The last line that a signature will cover, and the SHA-256 of the file up to and with it.
  struct Sealed {
    Entry entry;
    std::string prefix_sha256;
  };
  Result<Sealed> checkpoint(Json body);

  /// Like `conclude`, synced, with nothing able to come between: `before` is told the SHA-256 that the whole file will have with this line, and the
  /// line is written only if it succeeds. The manifest, which lists the ledger, is written in there.
  Result<void> conclude_after(std::uint64_t act, Json body, const std::function<Result<void>(const std::string& file_sha256)>& before);

  /// A copy of what the ledger says now.
  LedgerSummary summary() const;
  /// What it says of one file of the case.
  std::optional<FileRecord> file(const std::string& relative) const;
  const Path& path() const { return path_; }
  const RunIdentity& run() const { return run_; }
  const Clock& clock() const { return clock_; }

 private:
  Ledger(Path path, FileDescriptor file, RunIdentity run, const Clock& clock);
  struct Line {
    Entry entry;
    std::string text;
  };
  Result<Line> next_line(EntryKind kind, std::uint64_t act, Json body) const;
  Result<void> write_line(const Line& line);
  Result<Entry> append(EntryKind kind, std::uint64_t act, Json body, Sync sync);
  Result<void> make_safe(std::uint64_t seq);
  Result<Sha256> hash_so_far() const;
  Result<void> set_torn_tail_aside(std::string_view tail);

  const Path path_;
  const FileDescriptor file_;
  const RunIdentity run_;
  const Clock& clock_;

  mutable std::mutex mutex_;  // guards what follows
  LedgerSummary summary_;
  std::uint64_t size_ = 0;  // bytes of good lines
  bool broken_ = false;     // a write failed half way: nothing more may be appended

  std::mutex sync_mutex_;  // one fdatasync serves all that wait for it
  std::uint64_t synced_ = 0;
};

/// What stands behind the last complete line.
struct LedgerTail {
  std::uint64_t offset = 0;
  std::string bytes;  ///< empty: the file ends with a newline
};

/// Reads `file` line by line and checks every link; `visit` sees each entry and the byte at which its line begins, and may stop the walk with an
/// error. kIntegrity names line and byte where a line is changed, missing, added or out of order. A torn last line (no newline, or with NULs as after
/// a power loss) is given back, not an error.
Result<LedgerTail> read_ledger(const Path& file, const std::function<Result<void>(const Entry&, std::uint64_t offset)>& visit);

}  // namespace icecore::evidence
