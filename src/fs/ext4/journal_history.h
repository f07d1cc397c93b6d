// Every copy of a block that the log area of a journal still holds: of transactions that recovery replays, and of those that were written back long
// ago and whose place in the ring has not been used again.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/anomaly.h"
#include "core/progress.h"
#include "core/timestamp.h"
#include "fs/ext4/disk.h"
#include "fs/ext4/journal_tags.h"

namespace icecore::fs::ext4 {

/// One old (or the newest) version of a block, and where its bytes are.
struct BlockCopy {
  std::uint64_t block = 0;
  std::uint64_t offset = 0;  ///< byte in the source
  std::uint64_t transaction =
      0;  ///< its sequence number, counted on where the 32 bits on disk wrap; of an on-disk version the one before the log's tail
  bool escaped = false;
  bool on_disk = false;  ///< not from the log: the block's own place, which recovery would overwrite
};

class JournalHistory {
 public:
  /// Reads the whole log as one prefetch. A copy counts where its transaction has a commit block and (journals with checksums) its checksum holds;
  /// where rounds of the log overlap, the later one owns a block of the log. Where `disk` is a recovered view, the versions that recovery replaces
  /// are copies too. `until_tail`: only what is older than the log's tail (for the view without recovery). No journal, or none that can be read, is
  /// an empty history. Fails only where the source does. Memory: 80 bytes a block of the journal.
  static Result<JournalHistory> read(const Disk& disk, bool until_tail, Anomalies& anomalies, Progress& progress);

  /// Ascending by block, and of one block by transaction.
  std::span<const BlockCopy> copies() const { return copies_; }
  std::span<const BlockCopy> copies_of(std::uint64_t block) const;
  /// When a transaction was committed; nullopt where that is not known.
  std::optional<Timestamp> commit_time(std::uint64_t transaction) const;
  std::size_t transactions() const { return commits_.size(); }
  /// Fills `out` (one block) with the copy's bytes as they were.
  Result<void> load(const BlockCopy& copy, std::span<std::byte> out) const;

 private:
  friend class HistoryReader;
  void sort();
  Result<void> add_on_disk(const Disk& disk);

  struct Commit {
    std::uint64_t transaction;
    Timestamp time;
  };
  image::SourcePtr source_;
  image::SourcePtr below_;  // without recovery; null where nothing was replayed
  std::vector<BlockCopy> copies_;
  std::vector<Commit> commits_;  // ascending
  std::uint64_t tail_ = 0;       // the first transaction that recovery replays
};

}  // namespace icecore::fs::ext4
