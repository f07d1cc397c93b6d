#include "fs/ext4/journal.h"

#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <unordered_map>

#include "fs/ext4/fast_commit.h"
#include "fs/ext4/journal_log.h"
#include "fs/ext4/journal_tags.h"
#include "fs/ext4/sweep_parts.h"

namespace icecore::fs::ext4 {
namespace {

struct Revoke {
  std::uint64_t block;
  std::uint32_t sequence;
};

// crc32_be() of the kernel: most significant bit first, no inversion. Only journals of ext4 before 2012 (COMPAT_CHECKSUM) use it.
std::uint32_t crc32_be(std::uint32_t crc, ByteView bytes) {
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte) << 24;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x80000000U) != 0 ? 0x04C11DB7U : 0U);
  }
  return crc;
}

class Scanner {
 public:
  Scanner(const Disk& disk, JournalLog log, Anomalies& anomalies)
      : disk_(disk),
        log_(std::move(log)),
        sb_(log_.superblock()),
        anomalies_(anomalies),
        length_(std::min<std::uint64_t>(sb_.end - sb_.first, disk.source->size() / disk.superblock.block_size)) {}

  Result<Recovery> run() {
    ICECORE_CHECK(scan());
    ICECORE_ASSIGN(Recovery recovery, apply());
    ICECORE_ASSIGN(recovery.fast_commits, read_fast_commits(log_, disk_.superblock, sequence_));
    return recovery;
  }

 private:
  void report(std::string message, std::uint32_t log_block) {
    const auto offset = log_.offset_of(log_block);
    anomalies_.add("ext4.journal",
                   Error{Code::kCorrupt, "journal: " + std::move(message),
                         Location{disk_.source->name(), offset ? std::optional(*offset) : std::nullopt, disk_.superblock.journal_inode}, nullptr});
  }

  // One walk does what the kernel's PASS_SCAN and PASS_REVOKE do: what a transaction holds counts once its commit block is seen.
  Result<void> scan() {
    sequence_ = sb_.sequence;
    here_ = sb_.start;
    while (walked_ < length_) {
      ICECORE_ASSIGN(const ByteView block, log_.read(here_));
      if (load_be<std::uint32_t>(block, 0) != jbd2::kMagic || load_be<std::uint32_t>(block, 8) != sequence_) return {};
      const std::uint32_t type = load_be<std::uint32_t>(block, 4);
      const std::uint32_t at = here_;
      step(1);
      if (type == jbd2::kDescriptor) {
        ICECORE_CHECK(descriptor(block, at));
      } else if (type == jbd2::kRevoke) {
        revoke(block, at);
      } else if (type == jbd2::kCommit) {
        if (!commit(block, at)) return {};
      } else {
        return {};
      }
    }
    return {};
  }

  void step(std::uint32_t blocks) {
    here_ = sb_.next(here_, blocks);
    walked_ += blocks;
  }

  Result<void> descriptor(ByteView block, std::uint32_t at) {
    if (!journal_block_checksum_ok(sb_, block)) doubtful_ = true;
    const bool old_checksum = (sb_.compat & jbd2::kCompatChecksum) != 0;
    if (old_checksum) running_ = crc32_be(running_, block);
    const std::size_t first_tag = tags_.size();
    const bool all = decode_descriptor(sb_, block, at, length_ - walked_, tags_);
    step(static_cast<std::uint32_t>(tags_.size() - first_tag));
    if (!all) report("a descriptor names more blocks than the log holds", at);
    if (!old_checksum) return {};
    for (std::size_t i = first_tag; i < tags_.size(); ++i) {
      ICECORE_ASSIGN(const ByteView data, log_.read(tags_[i].log_block));
      running_ = crc32_be(running_, data);
    }
    return {};
  }

  void revoke(ByteView block, std::uint32_t at) {
    if (!journal_block_checksum_ok(sb_, block)) doubtful_ = true;
    const std::size_t end = load_be<std::uint32_t>(block, jbd2::kRevokeCount);
    if (end > block.size() - sb_.tail_bytes()) return report("a revoke block claims more than its size", at);
    const std::size_t size = sb_.has(jbd2::kIncompat64Bit) ? 8 : 4;
    for (std::size_t record = jbd2::kRevokeRecords; record + size <= end; record += size)
      revokes_.push_back({size == 8 ? load_be<std::uint64_t>(block, record) : load_be<std::uint32_t>(block, record), sequence_});
  }

  bool commit_checksum_ok(ByteView block) const {
    const auto stored = load_be<std::uint32_t>(block, jbd2::kCommitChecksum);
    if (sb_.checksums()) return journal_commit_checksum_ok(sb_, block);
    if ((sb_.compat & jbd2::kCompatChecksum) == 0) return true;
    const auto type = std::to_integer<unsigned>(block[jbd2::kCommitChecksumType]), size = std::to_integer<unsigned>(block[jbd2::kCommitChecksumSize]);
    return (type == 1 && size == 4 && stored == running_) || (type == 0 && size == 0 && stored == 0);
  }

  // False where the log ends here. A checksum that fails in a block older than the last commit is a leftover of the log's last round; in a newer one
  // it is damage to a committed transaction, which the kernel would refuse to mount over.
  bool commit(ByteView block, std::uint32_t at) {
    const auto time = load_be<std::uint64_t>(block, jbd2::kCommitSeconds);
    if (doubtful_ || !commit_checksum_ok(block)) {
      if (time >= last_commit_time_) report(fmt::format("transaction {} has a wrong checksum; it and what follows were not replayed", sequence_), at);
      return false;
    }
    last_commit_time_ = time;
    committed_tags_ = tags_.size();
    committed_revokes_ = revokes_.size();
    running_ = ~0U;
    ++sequence_;
    ++transactions_;
    return true;
  }

  Result<bool> data_checksum_ok(const JournalTag& tag) {
    if (!sb_.checksums()) return true;
    ICECORE_ASSIGN(const ByteView data, log_.read(tag.log_block));
    return journal_data_checksum_ok(sb_, tag, data);
  }

  Result<Recovery> apply() {
    std::unordered_map<std::uint64_t, std::uint32_t> revoked;
    for (std::size_t i = 0; i < committed_revokes_; ++i) {
      const auto [at, added] = revoked.try_emplace(revokes_[i].block, revokes_[i].sequence);
      if (!added && later_transaction(revokes_[i].sequence, at->second)) at->second = revokes_[i].sequence;
    }
    std::map<std::uint64_t, BlockPatch> newest;
    for (std::size_t i = 0; i < committed_tags_; ++i) {
      const JournalTag& tag = tags_[i];
      const auto revoke = revoked.find(tag.block);
      if (revoke != revoked.end() && !later_transaction(tag.sequence, revoke->second)) continue;
      if (tag.block >= disk_.superblock.blocks) {
        report(fmt::format("a copy of block {}, which is outside the filesystem", tag.block), tag.log_block);
        continue;
      }
      ICECORE_ASSIGN(const bool whole, data_checksum_ok(tag));
      if (!whole) {
        report(fmt::format("the copy of block {} in transaction {} has a wrong checksum and was left out", tag.block, tag.sequence), tag.log_block);
        continue;
      }
      ICECORE_ASSIGN(const std::uint64_t offset, log_.offset_of(tag.log_block));
      newest[tag.block] = {tag.block, offset, tag.escaped};
    }
    Recovery recovery;
    recovery.transactions = transactions_;
    for (const auto& [block, patch] : newest) recovery.patches.push_back(patch);
    return recovery;
  }

  const Disk& disk_;
  JournalLog log_;
  const JournalSuperblock sb_;
  Anomalies& anomalies_;
  const std::uint64_t length_;  // of the log, and never more than the disk has blocks
  std::uint32_t here_ = 0, walked_ = 0, sequence_ = 0, transactions_ = 0;
  std::uint32_t running_ = ~0U;
  std::uint64_t last_commit_time_ = 0;
  bool doubtful_ = false;
  std::vector<JournalTag> tags_;
  std::vector<Revoke> revokes_;
  std::size_t committed_tags_ = 0, committed_revokes_ = 0;
};

}  // namespace

Result<Recovery> recover_journal(const Disk& disk, Anomalies& anomalies) {
  const auto give_up = [&](const Error& error) -> Result<Recovery> {
    if (!is_evidence_error(error)) return Failure(error);
    anomalies.add("ext4.journal", error);
    return Recovery{};
  };
  auto log = JournalLog::open(disk);
  if (!log) return give_up(log.error());
  if (log->superblock().start == 0) return Recovery{};
  auto recovered = Scanner(disk, std::move(*log), anomalies).run();
  if (!recovered) return give_up(recovered.error());
  return recovered;
}

}  // namespace icecore::fs::ext4
