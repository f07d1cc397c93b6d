// Fast commits: small logical records behind the journal's log, of what changed since the last full transaction.
// Documentation/filesystems/ext4/journal.rst, fs/ext4/fast_commit.c.
#pragma once

#include <vector>

#include "core/anomaly.h"
#include "fs/ext4/fast_commit_format.h"
#include "fs/ext4/journal_log.h"

namespace icecore::fs::ext4 {

struct FastCommitTag {
  std::uint16_t type = 0;
  Bytes value;
};

/// The value of a tag may have this many bytes: ext4_fc_value_len_isvalid() of fs/ext4/fast_commit.c.
bool fast_commit_length_is_valid(const Superblock& superblock, std::uint16_t type, std::size_t length);

/// The tags of all fast commits that are whole, as ext4_fc_replay_scan() takes them: they must extend the transaction before `next_sequence`, and
/// each ends in a tail whose checksum holds. Leftovers of earlier rounds are none. Bounded by the area's size. Fails only where the source does.
Result<std::vector<FastCommitTag>> read_fast_commits(JournalLog& log, const Superblock& superblock, std::uint32_t next_sequence);

}  // namespace icecore::fs::ext4
