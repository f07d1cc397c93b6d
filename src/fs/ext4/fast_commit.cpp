#include "fs/ext4/fast_commit.h"

#include <fmt/format.h>

#include "fs/ext4/sweep_parts.h"

namespace icecore::fs::ext4 {
namespace {

// fs/ext4/fast_commit.h: struct ext4_fc_tl { __le16 fc_tag, fc_len; }
constexpr std::uint16_t kTagHead = 9;

}  // namespace

Result<void> report_fast_commits(const Disk& disk, JournalLog& log, std::uint32_t next_sequence, Anomalies& anomalies) {
  const JournalSuperblock& sb = log.superblock();
  if (!sb.has(jbd2::kIncompatFastCommit) || sb.end >= sb.fast_commit_end) return {};
  const auto block = log.read(sb.end);
  if (!block) {
    if (!is_evidence_error(block.error())) return Failure(block.error());
    anomalies.add("ext4.fast-commit", block.error());
    return {};
  }
  // The first fast commit behind a full one opens with a head that names the transaction it extends; an older number is a leftover.
  const bool present =
      load_le<std::uint16_t>(*block, 0) == kTagHead && load_le<std::uint16_t>(*block, 2) >= 8 && load_le<std::uint32_t>(*block, 8) == next_sequence;
  if (!present) return {};
  ICECORE_ASSIGN(const std::uint64_t offset, log.offset_of(sb.end));
  anomalies.add("ext4.fast-commit",
                Error{Code::kUnsupported,
                      fmt::format("the journal holds fast commits behind transaction {}, which this version does not replay: the last few "
                                  "changes before the snapshot may be missing from this view",
                                  next_sequence - 1),
                      Location{disk.source->name(), offset, disk.superblock.journal_inode}, nullptr});
  return {};
}

}  // namespace icecore::fs::ext4
