// What descriptor blocks say about the blocks behind them, and the checksums of jbd2. fs/jbd2/recovery.c, include/linux/jbd2.h.
#pragma once

#include <cstdint>
#include <vector>

#include "fs/ext4/journal_log.h"

namespace icecore::fs::ext4 {

/// A block in the log and what it is a copy of.
struct JournalTag {
  std::uint64_t block = 0;
  std::uint32_t log_block = 0;
  std::uint32_t sequence = 0;
  std::uint32_t checksum = 0;
  bool escaped = false;  ///< its first four bytes are the journal's magic number, zeroed in the log
};

/// The tags of a descriptor block in order; `sequence` is the descriptor's, `log_block` of each counts up from the block behind `at`. At most `most`.
/// False where the last tag is not marked as such, so that there may be more than the log holds.
bool decode_descriptor(const JournalSuperblock& superblock, ByteView block, std::uint32_t at, std::uint64_t most, std::vector<JournalTag>& tags);

/// Of descriptor and revoke blocks; true where the journal has no checksums.
bool journal_block_checksum_ok(const JournalSuperblock& superblock, ByteView block);
/// Of a commit block (checksums v2 and v3 only; true without).
bool journal_commit_checksum_ok(const JournalSuperblock& superblock, ByteView block);
/// Of a copied block as its tag has it; true without checksums.
bool journal_data_checksum_ok(const JournalSuperblock& superblock, const JournalTag& tag, ByteView data);

/// Sequence numbers wrap (tid_gt of include/linux/jbd2.h).
inline bool later_transaction(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) > 0; }

}  // namespace icecore::fs::ext4
