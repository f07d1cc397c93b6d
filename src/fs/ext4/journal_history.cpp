#include "fs/ext4/journal_history.h"

#include <algorithm>
#include <tuple>

#include "core/interrupt.h"
#include "fs/ext4/journal_overlay.h"
#include "fs/ext4/sweep_parts.h"

namespace icecore::fs::ext4 {
namespace {

// Sequence numbers wrap at 2^32. Counted from the superblock's they become numbers that do not, whose low 32 bits are the sequence.
std::uint64_t number_of(const JournalSuperblock& sb, std::uint32_t sequence) {
  const std::int64_t distance = static_cast<std::int32_t>(sequence - sb.sequence);
  return (std::uint64_t{1} << 32) + sb.sequence + static_cast<std::uint64_t>(distance);
}

constexpr std::uint32_t kBatchBytes = std::uint32_t{4} << 20;

}  // namespace

class HistoryReader {
 public:
  HistoryReader(const Disk& disk, JournalLog log, bool until_tail, Progress& progress)
      : disk_(disk), log_(std::move(log)), sb_(log_.superblock()), until_tail_(until_tail && sb_.start != 0), progress_(progress) {}

  Result<void> run(JournalHistory& history) {
    // A log of more blocks than the disk has is a lie that check and map have let through.
    if (std::uint64_t{sb_.end} > disk_.source->size() / disk_.superblock.block_size) return {};
    owners_.resize(sb_.end);
    ICECORE_CHECK(log_.announce_all());
    progress_.begin("reading the journal", std::uint64_t{2} * (sb_.end - sb_.first), "blocks");
    const auto done = scan(history);
    progress_.end();
    ICECORE_CHECK(done);
    history.tail_ = number_of(sb_, sb_.sequence);
    return {};
  }

 private:
  Result<void> scan(JournalHistory& history) {
    ICECORE_CHECK(for_each_block([&](std::uint32_t at, ByteView block) { header(at, block, history); }));
    std::ranges::sort(history.commits_, {}, &JournalHistory::Commit::transaction);
    return for_each_block([&](std::uint32_t at, ByteView block) {
      const JournalTag& tag = owners_[at];
      if (tag.log_block == 0) return;
      const std::uint64_t number = number_of(sb_, tag.sequence);
      if (!std::ranges::binary_search(history.commits_, number, {}, &JournalHistory::Commit::transaction)) return;
      if (tag.block >= disk_.superblock.blocks || !journal_data_checksum_ok(sb_, tag, block)) return;
      if (until_tail_ && number >= number_of(sb_, sb_.sequence)) return;
      const auto offset = log_.offset_of(at);
      if (offset) history.copies_.push_back({tag.block, *offset, number, tag.escaped, false});
    });
  }

  void header(std::uint32_t at, ByteView block, JournalHistory& history) {
    if (load_be<std::uint32_t>(block, 0) != jbd2::kMagic) return;
    // Copied blocks never begin with the magic number: what a descriptor of an earlier round says of this place is over.
    owners_[at].log_block = 0;
    owners_[at].sequence = load_be<std::uint32_t>(block, 8);
    const std::uint32_t type = load_be<std::uint32_t>(block, 4);
    if (type == jbd2::kCommit && journal_commit_checksum_ok(sb_, block)) {
      history.commits_.push_back({number_of(sb_, owners_[at].sequence),
                                  {static_cast<std::int64_t>(load_be<std::uint64_t>(block, jbd2::kCommitSeconds)),
                                   load_be<std::uint32_t>(block, jbd2::kCommitSeconds + 8) % 1'000'000'000U}});
    } else if (type == jbd2::kDescriptor && journal_block_checksum_ok(sb_, block)) {
      claim(at, block);
    }
  }

  void claim(std::uint32_t at, ByteView block) {
    tags_.clear();
    (void)decode_descriptor(sb_, block, at, sb_.end - sb_.first - 1, tags_);
    for (const JournalTag& tag : tags_) {
      JournalTag& owner = owners_[tag.log_block];
      const bool is_header = owner.log_block == 0 && owner.sequence != 0;
      if (is_header || (owner.log_block != 0 && later_transaction(owner.sequence, tag.sequence))) continue;
      owner = tag;
    }
  }

  template <typename Visit>
  Result<void> for_each_block(Visit&& visit) {
    const std::uint32_t block_size = log_.block_size();
    const std::uint32_t batch = std::max(1U, kBatchBytes / block_size);
    Bytes buffer;
    for (std::uint32_t at = sb_.first; at < sb_.end;) {
      if (interrupted()) return interruption();
      const std::uint32_t count = std::min(batch, sb_.end - at);
      ICECORE_CHECK(log_.read_many(at, count, buffer));
      for (std::uint32_t i = 0; i < count; ++i) visit(at + i, ByteView(buffer).subspan(std::size_t{i} * block_size, block_size));
      at += count;
      progress_.update(done_ += count);
    }
    return {};
  }

  const Disk& disk_;
  JournalLog log_;
  const JournalSuperblock sb_;
  const bool until_tail_;
  Progress& progress_;
  std::uint64_t done_ = 0;
  std::vector<JournalTag> owners_;  // by log block; log_block 0: nobody's, with a sequence: a header
  std::vector<JournalTag> tags_;
};

Result<JournalHistory> JournalHistory::read(const Disk& disk, bool until_tail, Anomalies& anomalies, Progress& progress) {
  JournalHistory history;
  history.source_ = disk.source;
  if (!disk.superblock.compat(compat::kHasJournal)) return history;
  auto log = JournalLog::open(disk);
  if (!log && !is_evidence_error(log.error())) return Failure(log.error());
  if (!log) {
    anomalies.add("ext4.journal", log.error());
    return history;
  }
  if (const auto done = HistoryReader(disk, std::move(*log), until_tail, progress).run(history); !done) {
    if (!is_evidence_error(done.error())) return Failure(done.error());
    anomalies.add("ext4.journal", done.error());
  }
  history.sort();
  ICECORE_CHECK(history.add_on_disk(disk));
  return history;
}

void JournalHistory::sort() {
  std::ranges::sort(copies_, {}, [](const BlockCopy& copy) { return std::tuple(copy.block, copy.transaction, copy.on_disk, copy.offset); });
}

// A block's own place may have been written at any time since the tail. If it is none of the versions that recovery has, it is from before them.
Result<void> JournalHistory::add_on_disk(const Disk& disk) {
  const auto* overlay = dynamic_cast<const JournalOverlay*>(disk.source.get());
  if (overlay == nullptr) return {};
  below_ = overlay->base();
  const std::uint64_t block_size = disk.superblock.block_size;
  std::vector<image::ByteRange> ranges;
  for (const BlockPatch& patch : overlay->patches()) ranges.push_back({patch.block * block_size, block_size});
  ICECORE_CHECK(below_->prefetch(ranges));
  Bytes here(disk.superblock.block_size), copied(disk.superblock.block_size);
  std::vector<BlockCopy> added;
  for (const BlockPatch& patch : overlay->patches()) {
    if (interrupted()) return interruption();
    if (const auto read = below_->read(patch.block * block_size, here); !read) {
      if (!is_evidence_error(read.error())) return read;
      continue;
    }
    bool known = false;
    for (const BlockCopy& copy : copies_of(patch.block)) {
      if (copy.transaction < tail_) continue;
      const auto loaded = load(copy, copied);
      if (!loaded && !is_evidence_error(loaded.error())) return loaded;
      known = known || (loaded && copied == here);
    }
    if (!known) added.push_back({patch.block, patch.block * block_size, tail_ - 1, false, true});
  }
  copies_.insert(copies_.end(), added.begin(), added.end());
  sort();
  return {};
}

std::span<const BlockCopy> JournalHistory::copies_of(std::uint64_t block) const {
  // Not equal_range: clang 14 (the fuzz preset) rejects libstdc++'s.
  return {std::ranges::lower_bound(copies_, block, {}, &BlockCopy::block), std::ranges::upper_bound(copies_, block, {}, &BlockCopy::block)};
}

std::optional<Timestamp> JournalHistory::commit_time(std::uint64_t transaction) const {
  const auto found = std::ranges::lower_bound(commits_, transaction, {}, &Commit::transaction);
  if (found == commits_.end() || found->transaction != transaction) return std::nullopt;
  return found->time;
}

Result<void> JournalHistory::load(const BlockCopy& copy, std::span<std::byte> out) const {
  ICECORE_CHECK((copy.on_disk && below_ ? below_ : source_)->read(copy.offset, out));
  if (copy.escaped) std::ranges::copy(jbd2::kMagicBytes, out.begin());
  return {};
}

}  // namespace icecore::fs::ext4
