#include "fs/ext4/inode_lives.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/interrupt.h"
#include "fs/ext4/extent_tree.h"
#include "fs/ext4/sweep_parts.h"

namespace icecore::fs::ext4 {
namespace {

// Something to find content by is in the record: extents, block numbers, or the content itself.
bool has_map(const InodeView& inode) {
  if (inode.has(inode_flag::kInlineData)) return true;
  const ByteView block = inode.block();
  if (inode.has(inode_flag::kExtents)) {
    const ExtentHeader header = ExtentHeader::decode(block);
    return header.magic == kExtentMagic && header.entries > 0;
  }
  return !is_all_zero(block);
}

// What a version tells: 3 alive with all its content, 2 alive, 1 dying with some content, 0 gone.
unsigned rank_of(const Superblock& sb, const InodeView& inode) {
  const bool content = inode.size(sb) > 0 && has_map(inode);
  if (inode.linked()) return content ? 3 : 2;
  return content ? 1 : 0;
}

}  // namespace

InodeTableMap::InodeTableMap(const Disk& disk) : per_block_(disk.superblock.block_size / disk.superblock.inode_size) {
  const Superblock& sb = disk.superblock;
  for (std::uint64_t group = 0; group < disk.groups.size(); ++group)
    if (disk.groups[group].inode_table != 0 && per_block_ != 0)
      spans_.push_back({disk.groups[group].inode_table, (sb.inodes_per_group + per_block_ - 1) / per_block_, group * sb.inodes_per_group + 1});
  std::ranges::sort(spans_, {}, &Span::block);
}

std::uint64_t InodeTableMap::first_inode(std::uint64_t block) const {
  const auto after = std::ranges::upper_bound(spans_, block, {}, &Span::block);
  if (after == spans_.begin()) return 0;
  const Span& span = *std::prev(after);
  return block - span.block < span.count ? span.first_inode + (block - span.block) * per_block_ : 0;
}

class LivesReader {
 public:
  LivesReader(const Disk& disk, const JournalHistory& history, const FileTable& table, Anomalies& anomalies)
      : disk_(disk), sb_(disk.superblock), history_(history), table_(table), anomalies_(anomalies), map_(disk) {}

  Result<InodeLives> run() {
    Bytes block(sb_.block_size);
    for (const BlockCopy& copy : history_.copies()) {
      const std::uint64_t first = map_.first_inode(copy.block);
      if (first == 0) continue;
      if (interrupted()) return interruption();
      if (const auto loaded = history_.load(copy, block); !loaded) {
        if (!is_evidence_error(loaded.error())) return Failure(loaded.error());
        continue;
      }
      for (std::uint32_t at = 0; at + sb_.inode_size <= sb_.block_size; at += sb_.inode_size)
        take(InodeView(first + at / sb_.inode_size, ByteView(block).subspan(at, sb_.inode_size)), {&copy, at});
    }
    for (const FileInfo& info : table_.files) {
      if (info.allocated) continue;
      const auto inode = disk_.load_inode(info.inode);
      if (!inode && !is_evidence_error(inode.error())) return Failure(inode.error());
      if (inode) take(inode->view(), {nullptr, 0});
    }
    return std::move(lives_);
  }

 private:
  void take(const InodeView& inode, const RecordPlace& place) {
    if (inode.blank() || inode.number() > sb_.inodes || inode.type() == FileType::kUnknown || sb_.is_internal(inode.number()) ||
        inode.has(inode_flag::kEaInode))
      return;
    const FileInfo* now = table_.find(inode.number());
    if (now != nullptr && now->allocated && now->generation == inode.generation()) return;  // lives on
    if (!inode.checksum_ok(sb_)) return;
    InodeLife* life = life_of(inode);
    if (life == nullptr) return;
    const std::uint64_t when = place.transaction();
    const FileInfo info = inode.info(sb_, 0);
    if (inode.linked()) {
      life->linked_first = std::min(life->linked_first, when);
      life->linked_last = std::max(life->linked_last, when);
      life->born = info.born;
    } else {
      life->dead_first = std::min(life->dead_first, when);
      if (info.deleted) life->deleted = info.deleted;
      life->changed = info.changed;
      if (!life->born) life->born = info.born;
    }
    life->is_directory = life->is_directory || inode.type() == FileType::kDirectory;
    consider(*life, inode, place);
  }

  // Of equal ranks the later wins; of dying ones the one that had most left.
  void consider(InodeLife& life, const InodeView& inode, const RecordPlace& place) {
    const unsigned rank = rank_of(sb_, inode);
    const std::uint64_t size = inode.size(sb_);
    const bool known = life.best_known;
    bool better = !known || rank > life.rank;
    if (known && rank == life.rank) better = rank == 1 ? size > life.best_size : place.transaction() >= life.best.transaction();
    if (!better) return;
    life.best = place;
    life.best_known = true;
    life.rank = rank;
    life.best_size = size;
  }

  InodeLife* life_of(const InodeView& inode) {
    const std::uint64_t key = inode.number() << 32 | inode.generation();  // numbers of ext inodes have 32 bits
    const auto known = by_life_.find(key);
    if (known != by_life_.end()) return &lives_.lives_[known->second];
    auto& of_number = lives_.by_inode_[inode.number()];
    if (lives_.lives_.size() >= InodeLives::kMost || of_number.size() >= InodeLives::kMostOfOne) {
      if (!full_)
        anomalies_.add("ext4.deleted", Error{Code::kUnsupported,
                                             fmt::format("more than {} deleted inodes, or {} of one number; the rest was left out", InodeLives::kMost,
                                                         InodeLives::kMostOfOne),
                                             Location{disk_.source->name(), std::nullopt, inode.number()}, nullptr});
      full_ = true;
      return nullptr;
    }
    by_life_.emplace(key, lives_.lives_.size());
    of_number.push_back(lives_.lives_.size());
    InodeLife& life = lives_.lives_.emplace_back();
    life.inode = inode.number();
    life.generation = inode.generation();
    return &life;
  }

  const Disk& disk_;
  const Superblock& sb_;
  const JournalHistory& history_;
  const FileTable& table_;
  Anomalies& anomalies_;
  const InodeTableMap map_;
  bool full_ = false;
  std::unordered_map<std::uint64_t, std::size_t> by_life_;  // by number and generation
  InodeLives lives_;
};

Result<InodeLives> InodeLives::read(const Disk& disk, const JournalHistory& history, const FileTable& table, Anomalies& anomalies) {
  return LivesReader(disk, history, table, anomalies).run();
}

const std::vector<std::size_t>& InodeLives::of(std::uint64_t inode) const {
  static const std::vector<std::size_t> kNone;
  const auto found = by_inode_.find(inode);
  return found == by_inode_.end() ? kNone : found->second;
}

std::optional<std::size_t> InodeLives::at(std::uint64_t inode, std::uint64_t transaction, bool& sure) const {
  std::optional<std::size_t> alive, next;
  for (const std::size_t i : of(inode)) {
    const InodeLife& life = lives_[i];
    // Alive then: seen before (or in) that transaction, and its end came later. Of two such the later began later.
    if (life.seen_alive() && life.linked_first <= transaction && (transaction <= life.linked_last || transaction < life.dead_first)) {
      if (!alive || lives_[*alive].linked_first < life.linked_first) alive = i;
      continue;
    }
    // Seen only later: the first to come is the one that was there already, if it was not made in between.
    const std::uint64_t seen = std::min(life.seen_alive() ? life.linked_first : kNow, life.dead_first);
    if (seen < transaction) continue;
    if (!next || seen < std::min(lives_[*next].seen_alive() ? lives_[*next].linked_first : kNow, lives_[*next].dead_first)) next = i;
  }
  sure = alive.has_value();
  return alive ? alive : next;
}

Result<Inode> InodeLives::load(const Disk& disk, const JournalHistory& history, std::uint64_t inode, const RecordPlace& place) {
  if (place.copy == nullptr) return disk.load_inode(inode);
  Bytes block(disk.superblock.block_size);
  ICECORE_CHECK(history.load(*place.copy, block));
  const auto from = block.begin() + place.in_block;
  return Inode(inode, Bytes(from, from + disk.superblock.inode_size), place.copy->offset + place.in_block);
}

}  // namespace icecore::fs::ext4
