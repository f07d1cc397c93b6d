// The disk as it was after one transaction, as far as the journal's copies tell: for the index blocks of files that are gone.
#pragma once

#include "fs/ext4/block_map.h"
#include "fs/ext4/journal_history.h"

namespace icecore::fs::ext4 {

/// Not thread-safe: one transaction at a time. Index blocks belong to one file each: past so many as the disk has (three times, for the versions
/// tried) every further map is empty and not complete, so that a hostile disk cannot make the work grow with the square of its size.
class PastDisk {
 public:
  PastDisk(const Disk& disk, const JournalHistory& history);
  ~PastDisk();

  /// The block map of an inode's record as it was then. Index blocks come from copies of that time, else from where they were, else from later
  /// copies: what fits the tree (its checksums, its order) is taken. `complete`: no piece is missing, so that what is not mapped is a hole.
  BlockMap map(const InodeView& inode, std::uint64_t transaction, bool& complete);

 private:
  class Source;
  std::shared_ptr<Source> source_;
  Disk disk_;
  std::uint64_t budget_;
};

}  // namespace icecore::fs::ext4
