// The lives of inodes that have ended: an inode's number is used again and again, and each time with another generation. What is known of each comes
// from old copies of inode table blocks and from what the free inode's record still says.
#pragma once

#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fs/ext4/journal_history.h"
#include "fs/file_table.h"

namespace icecore::fs::ext4 {

inline constexpr std::uint64_t kNow = std::numeric_limits<std::uint64_t>::max();  ///< the table as it is, behind all transactions

/// Where one version of an inode's record is: in a copy of its block, or (`copy` null) in the table itself.
struct RecordPlace {
  const BlockCopy* copy = nullptr;
  std::uint32_t in_block = 0;
  std::uint64_t transaction() const { return copy != nullptr ? copy->transaction : kNow; }
};

struct InodeLife {
  std::uint64_t inode = 0;
  std::uint32_t generation = 0;
  RecordPlace best;  ///< the version that tells most: the last one that was linked and had content
  bool best_known = false;
  unsigned rank = 0;  ///< of `best`; see inode_lives.cpp
  std::uint64_t best_size = 0;
  std::uint64_t linked_first = kNow, linked_last = 0;  ///< transactions; linked_first > linked_last: never seen alive
  std::uint64_t dead_first = kNow;                     ///< the first transaction after which it was no more
  std::optional<Timestamp> born, deleted, changed;     ///< `changed` as its end left it
  bool is_directory = false;

  bool seen_alive() const { return linked_first <= linked_last; }
};

class InodeLives {
 public:
  static constexpr std::size_t kMost = 300'000;
  static constexpr std::size_t kMostOfOne = 256;  ///< of one number; a hostile journal could give it any number of them

  /// Goes through all copies of inode table blocks and all free inodes of `table`. Lives that go on (same generation, still allocated) are left out.
  /// Fails only where the source does. "ext4.deleted" where there are more than kMost or kMostOfOne.
  static Result<InodeLives> read(const Disk& disk, const JournalHistory& history, const FileTable& table, Anomalies& anomalies);

  const std::vector<InodeLife>& all() const { return lives_; }
  /// Indexes of the lives of a number, ascending.
  const std::vector<std::size_t>& of(std::uint64_t inode) const;
  /// The life that had the number when `transaction` was committed, and how sure that is. nullopt where none fits.
  std::optional<std::size_t> at(std::uint64_t inode, std::uint64_t transaction, bool& sure) const;

  /// The record's bytes.
  static Result<Inode> load(const Disk& disk, const JournalHistory& history, std::uint64_t inode, const RecordPlace& place);

 private:
  friend class LivesReader;
  std::vector<InodeLife> lives_;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> by_inode_;
};

/// Which inodes lie in which blocks.
class InodeTableMap {
 public:
  explicit InodeTableMap(const Disk& disk);
  /// The number of the first inode in the block; 0 where it is no block of an inode table.
  std::uint64_t first_inode(std::uint64_t block) const;

 private:
  struct Span {
    std::uint64_t block, count, first_inode;
  };
  std::vector<Span> spans_;  // ascending
  std::uint32_t per_block_;
};

}  // namespace icecore::fs::ext4
