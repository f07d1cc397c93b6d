#include "fs/ext4/deleted.h"

#include <fmt/format.h>
#include <algorithm>
#include <map>

#include "core/interrupt.h"
#include "fs/ext4/block_usage.h"
#include "fs/ext4/content.h"
#include "fs/ext4/name_history.h"
#include "fs/ext4/sweep_parts.h"

namespace icecore::fs::ext4 {
namespace {

// What a disk of honest files never reaches: a bound for memory and time on a hostile one.
constexpr std::size_t kMostPieces = 2'000'000, kMostRuns = 2'000'000;
constexpr std::uint64_t kMostSteps = 50'000'000;

/// A deleted file in the making.
struct Draft {
  DeletedFile file;
  std::vector<Run> runs;
  std::uint64_t held_last = 0;   ///< the last transaction in which it held its blocks
  std::uint64_t gone_first = 0;  ///< the first in which it did not
  bool complete = false;
};

class Finder {
 public:
  Finder(const Disk& disk, bool consistent, const FileTable& table, Anomalies& anomalies)
      : disk_(disk), sb_(disk.superblock), consistent_(consistent), table_(table), anomalies_(anomalies) {}

  Result<DeletedFiles> run(const JournalHistory& history, const PathIndex& paths, Progress& progress) {
    history_ = &history;
    ICECORE_ASSIGN(const InodeLives lives, InodeLives::read(disk_, history, table_, anomalies_));
    PastDisk past(disk_, history);
    ICECORE_CHECK(draft_all(lives, past, progress));
    ICECORE_CHECK(judge_blocks());
    ICECORE_ASSIGN(auto names, read_past_names(disk_, history, lives, past, table_, anomalies_));
    return assemble(std::move(names), paths);
  }

 private:
  Result<void> draft_all(const InodeLives& lives, PastDisk& past, Progress& progress) {
    ICECORE_CHECK(announce_index_blocks(lives));
    progress.begin("mapping deleted files", lives.all().size(), "files");
    drafts_.resize(lives.all().size());
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      if (interrupted()) return interruption();
      const InodeLife& life = lives.all()[i];
      const auto inode = InodeLives::load(disk_, *history_, life.inode, life.best);
      if (!inode && !is_evidence_error(inode.error())) return Failure(inode.error());
      if (inode) draft(life, *inode, past, drafts_[i]);
      progress.update(i + 1);
    }
    progress.end();
    return {};
  }

  Result<void> announce_index_blocks(const InodeLives& lives) const {
    std::vector<image::ByteRange> ranges;
    for (const InodeLife& life : lives.all()) {
      if (life.rank % 2 == 0) continue;  // without content
      const auto inode = InodeLives::load(disk_, *history_, life.inode, life.best);
      if (!inode && !is_evidence_error(inode.error())) return Failure(inode.error());
      if (inode && !inode->view().has(inode_flag::kInlineData)) append_index_blocks(disk_, inode->view(), ranges);
    }
    std::ranges::sort(ranges, {}, &image::ByteRange::offset);
    return disk_.source->prefetch(ranges);
  }

  void draft(const InodeLife& life, const Inode& inode, PastDisk& past, Draft& out) {
    const InodeView view = inode.view();
    DeletedFile& file = out.file;
    file.info = view.info(sb_, inode.offset());
    file.info.allocated = false;
    if (life.deleted) file.info.deleted = life.deleted;
    if (life.deleted && life.changed) file.info.changed = *life.changed;
    const FileInfo* now = table_.find(life.inode);
    file.inode_reused = now != nullptr && now->allocated;
    file.origin = origin_of(life, inode);
    file.sureness = life.rank == 0 ? Sureness::kGuess : life.seen_alive() && sb_.checksums() ? Sureness::kSure : Sureness::kLikely;
    file.size_exact = life.rank > 0;
    out.held_last = life.best.transaction();
    out.gone_first = life.dead_first == kNow ? kNow : std::max(life.dead_first, out.held_last);
    if (life.rank % 2 == 0) {
      out.complete = life.rank != 0 && file.info.size == 0;
      return take_link(view, file);
    }
    if (view.has(inode_flag::kInlineData)) return take_inside(view, file);
    if (file.info.type == FileType::kSymlink && file.info.size < kInodeBlockBytes && !view.has(inode_flag::kExtents)) return take_link(view, file);
    if (file.info.type != FileType::kRegular && file.info.type != FileType::kSymlink) return;
    BlockMap map = past.map(view, life.best.transaction(), out.complete);
    runs_ += map.runs.size();
    if (runs_ > kMostRuns) {
      out.complete = false;
      return too_much();
    }
    out.runs = std::move(map.runs);
  }

  Origin origin_of(const InodeLife& life, const Inode& inode) const {
    const BlockCopy* copy = life.best.copy;
    Origin origin{Origin::Kind::kInodeTable, inode.offset(), {}, {}, {}};
    if (copy == nullptr || copy->on_disk) return origin;
    origin.kind = Origin::Kind::kJournal;
    origin.transaction = static_cast<std::uint32_t>(copy->transaction);
    origin.block = copy->block;
    origin.committed = history_->commit_time(copy->transaction);
    return origin;
  }

  static void take_link(const InodeView& view, DeletedFile& file) {
    if (file.info.type != FileType::kSymlink || file.info.size == 0 || file.info.size >= kInodeBlockBytes || view.has(inode_flag::kExtents)) return;
    if (view.has(inode_flag::kEncrypt)) return;
    file.inside = std::string(as_text(view.block().first(static_cast<std::size_t>(file.info.size))));
  }

  void take_inside(const InodeView& view, DeletedFile& file) const {
    if (file.info.type != FileType::kRegular && file.info.type != FileType::kSymlink) return;
    const auto content = inline_content(disk_, view);
    if (!content) return;
    file.inside = std::string(as_text(ByteView(*content).first(static_cast<std::size_t>(std::min<std::uint64_t>(file.info.size, content->size())))));
  }

  // From the last that held its blocks to the first, so that each knows what came after it.
  Result<void> judge_blocks() {
    BlockSet asked;
    for (const Draft& draft : drafts_)
      for (const Run& run : draft.runs) asked.add(run.physical, run.physical + run.length);
    BlockBitmaps bitmaps(disk_, consistent_);
    ICECORE_CHECK(bitmaps.load(asked, anomalies_));
    ICECORE_ASSIGN(const BlockSet live, live_blocks_within(disk_, table_, asked));
    std::vector<std::size_t> order(drafts_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t i) { return drafts_[i].held_last; });
    BlockSet later;
    std::size_t pieces = 0;
    for (const std::size_t i : order) {
      if (interrupted()) return interruption();
      Draft& draft = drafts_[i];
      for (const Run& run : draft.runs) {
        steps_ += 1 + run.length / sb_.blocks_per_group;
        if (pieces > kMostPieces || steps_ > kMostSteps) {
          draft.complete = false;
          too_much();
          break;
        }
        std::vector<BlockSpan> used;
        bitmaps.append_used(run.physical, run.physical + run.length, used);
        live.append_within(run.physical, run.physical + run.length, used);
        later.append_within(run.physical, run.physical + run.length, used);
        append_later_copies(draft, run, used);
        steps_ += used.size();
        for (BlockSpan& span : used) span = {span.start * sb_.block_size, span.end * sb_.block_size};
        const Extent extent{run.logical * sb_.block_size, run.physical * sb_.block_size, run.length * sb_.block_size, run.unwritten};
        pieces += fs::append_pieces(extent, std::move(used), draft.file.extents);
      }
      for (const Run& run : draft.runs) later.add(run.physical, run.physical + run.length);
    }
    return {};
  }

  void too_much() {
    if (!std::exchange(said_, true))
      anomalies_.add("ext4.deleted", Error{Code::kUnsupported, fmt::format("deleted files of more than {} pieces; not all were judged", kMostPieces),
                                           Location{disk_.source->name()}, nullptr});
  }

  // The journal copies metadata: a version from after the file's end says that the block was a folder's or an index since.
  void append_later_copies(const Draft& draft, const Run& run, std::vector<BlockSpan>& used) {
    if (draft.gone_first == kNow) return;
    const auto copies = history_->copies();
    for (auto at = std::ranges::lower_bound(copies, run.physical, {}, &BlockCopy::block); at != copies.end() && at->block < run.physical + run.length;
         ++at, ++steps_)
      if (!at->on_disk && at->transaction > draft.gone_first && (used.empty() || used.back().start != at->block))
        used.push_back({at->block, at->block + 1});
  }

  DeletedFiles assemble(std::vector<PastName> names, const PathIndex& paths) {
    DeletedFiles result;
    result.journal_transactions = history_->transactions();
    std::map<std::uint64_t, DeletedFile> unknown;  // inodes of which there is nothing but a name
    for (PastName& past : names) {
      if (past.whose == PastName::Whose::kLife) {
        drafts_[past.life].file.names.push_back(std::move(past.name));
      } else if (past.whose == PastName::Whose::kLiveFile) {
        result.former_names.push_back({past.inode, std::move(past.name)});
      } else {
        DeletedFile& file = unknown[past.inode];
        file.info.inode = past.inode;
        file.info.type = past.type;
        file.info.allocated = false;
        file.origin = past.name.origin;
        file.size_exact = false;
        const FileInfo* now = table_.find(past.inode);
        file.inode_reused = now != nullptr && now->allocated;
        file.names.push_back(std::move(past.name));
      }
    }
    for (Draft& draft : drafts_) {
      if (draft.file.info.inode == 0) continue;  // its record could not be read again
      draft.file.content = judge_content(draft.file, draft.complete);
      result.files.push_back(std::move(draft.file));
    }
    for (auto& [inode, file] : unknown) result.files.push_back(std::move(file));
    std::ranges::stable_sort(result.files, {}, [](const DeletedFile& file) { return file.info.inode; });
    std::ranges::stable_sort(result.former_names, {}, &FormerName::inode);
    resolve_paths(result, table_, paths);
    return result;
  }

  const Disk& disk_;
  const Superblock& sb_;
  const bool consistent_;  // bitmaps and descriptors are of one time
  const FileTable& table_;
  Anomalies& anomalies_;
  const JournalHistory* history_ = nullptr;
  std::vector<Draft> drafts_;
  std::size_t runs_ = 0;
  std::uint64_t steps_ = 0;
  bool said_ = false;
};

}  // namespace

Result<DeletedFiles> find_deleted(const Disk& disk, JournalView view, const FileTable& table, const PathIndex& paths, Anomalies& anomalies,
                                  Progress& progress) {
  ICECORE_ASSIGN(const JournalHistory history, JournalHistory::read(disk, view == JournalView::kAsOnDisk, anomalies, progress));
  const bool consistent = view == JournalView::kRecovered || !disk.superblock.incompat(incompat::kRecover);
  return Finder(disk, consistent, table, anomalies).run(history, paths, progress);
}

}  // namespace icecore::fs::ext4
