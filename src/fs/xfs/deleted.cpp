#include "fs/xfs/deleted.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_set>

#include "core/interrupt.h"
#include "fs/xfs/directory.h"
#include "fs/xfs/directory_map.h"
#include "fs/xfs/free_space.h"
#include "fs/xfs/log_history.h"

namespace icecore::fs::xfs {
namespace {

constexpr std::size_t kMostFreedBlocks = 100'000, kMostFreedNames = 1'000'000, kMostNamesOfOne = 1000;
// What a disk of honest files never reaches: a bound for memory and time on a hostile one, as in ext4/deleted.cpp.
constexpr std::size_t kMostMappings = 2'000'000, kMostPieces = 2'000'000;
constexpr std::uint64_t kMostSteps = 50'000'000, kMostFolderBlocks = 10'000'000;

/// A deleted file in the making.
struct Draft {
  DeletedFile file;
  std::vector<Mapping> mappings;
  std::uint64_t blocks = 0;  ///< that the file held, where the log says so
  bool complete = false;
  bool unlinked_only = false;  ///< its inode is not free yet: the blocks are its own still
};

bool covers(const Superblock& super, std::span<const Mapping> mappings, std::uint64_t size) {
  std::uint64_t next = 0;
  for (const Mapping& mapping : mappings) {
    if (mapping.file_block != next) return false;
    next = mapping.end();
  }
  return next << super.block_log >= size;
}

class Finder {
 public:
  Finder(const XfsFilesystem& filesystem, const FileTable& table, Anomalies& anomalies)
      : filesystem_(filesystem), reader_(filesystem.reader()), super_(reader_.super), table_(table), anomalies_(anomalies) {}

  Result<DeletedFiles> run(const PathIndex& paths) {
    ICECORE_ASSIGN(LogHistory history, read_log_history(reader_, anomalies_));
    ICECORE_ASSIGN(space_, read_free_space(reader_, anomalies_));
    ICECORE_ASSIGN(const auto freed, names_of_freed_blocks(history.lives));
    ICECORE_CHECK(free_inodes(history.lives));
    for (const auto& [key, life] : history.lives) ICECORE_CHECK(reused_inode(key, life));
    std::ranges::stable_sort(drafts_, {}, [](const Draft& draft) { return draft.file.info.inode; });
    ICECORE_CHECK(judge_blocks());
    for (const Name& name : table_.names)
      if (name.deleted) name_of_slack(name);
    note_live_names(history, freed);
    for (const PastEntry& entry : history.entries) name_of_log(entry);
    for (const FreedName& entry : freed) name_of_freed_block(entry);
    return assemble(history, paths);
  }

 private:
  Result<void> free_inodes(InodeLives& lives) {
    for (const FileInfo& info : table_.files) {
      if (info.allocated) continue;
      if (interrupted()) return interruption();
      Draft draft;
      draft.file.info = info;
      draft.file.origin = {Origin::Kind::kInodeTable, info.inode_offset, {}, {}, {}};
      draft.file.sureness = Sureness::kLikely;
      draft.file.size_exact = info.mode != 0;
      draft.unlinked_only = info.mode != 0;
      if (auto mappings = filesystem_.mappings(info.inode)) draft.mappings = std::move(*mappings);
      // xfs_ifree counts the generation up by one.
      const auto life = info.mode == 0 ? lives.find({info.inode, info.generation - 1}) : lives.end();
      if (life != lives.end()) {
        ICECORE_CHECK(take_life(life->second, draft));
        lives.erase(life);
      }
      keep(std::move(draft));
    }
    return {};
  }

  void keep(Draft draft) {
    draft.complete = draft.complete || covers(super_, draft.mappings, draft.file.info.size);
    mappings_ += draft.mappings.size();
    if (mappings_ > kMostMappings) {
      mappings_ -= draft.mappings.size();
      draft.mappings = {};
      draft.complete = false;
      tell_once("deleted files of more pieces than are looked at; not all were judged");
    }
    drafts_.push_back(std::move(draft));
  }

  void tell_once(std::string_view message) {
    if (told_.insert(message).second)
      anomalies_.add("xfs.deleted", Error{Code::kUnsupported, std::string(message), Location{reader_.source->name()}, nullptr});
  }

  // A number that has gone to another file. Its own inode, live or still to be freed, is none; nor is a life of which the disk knows no end.
  Result<void> reused_inode(const std::pair<std::uint64_t, std::uint32_t>& key, const InodeLife& life) {
    const FileInfo* now = table_.find(key.first);
    if (now == nullptr || now->mode == 0 || now->generation == key.second) return {};
    Draft draft;
    ICECORE_CHECK(take_life(life, draft));
    draft.file.inode_reused = true;
    keep(std::move(draft));
    return {};
  }

  Result<void> take_life(const InodeLife& life, Draft& draft) const {
    DeletedFile& file = draft.file;
    const auto deleted = file.info.deleted;
    const auto changed = file.info.changed;
    file.info = life.info;
    file.info.allocated = false;
    file.info.deleted = deleted;
    if (deleted) file.info.changed = changed;
    file.size_exact = true;
    file.sureness = super_.crc ? Sureness::kSure : Sureness::kLikely;
    file.origin.kind = Origin::Kind::kJournal;
    file.origin.offset = life.info.inode_offset;
    file.origin.transaction = life.lsn;
    file.inside = life.inside;
    draft.blocks = life.blocks;
    // The free inode's own records are as they were when it was last written; the log's may be newer.
    if (!life.mappings.empty()) draft.mappings = life.mappings;
    take_count(draft);
    if (life.tree.empty()) return {};
    const auto inode = parse_inode(super_, life.info.inode, life.tree, reader_.source->name());
    if (!inode) return {};
    // The blocks of its tree were freed with it; while nobody has written over them they still say it all.
    auto mappings = read_mappings(reader_, inode->data, inode->realtime, reader_.at(life.info.inode_offset, life.info.inode));
    if (!mappings && mappings.error().code != Code::kCorrupt) return Failure(mappings.error());
    if (mappings) draft.mappings = std::move(*mappings);
    take_count(draft);
    return {};
  }

  static void take_count(Draft& draft) {
    std::uint64_t mapped = 0;
    for (const Mapping& mapping : draft.mappings) mapped += mapping.count;
    draft.complete = mapped >= draft.blocks;
  }

  static Timestamp end_of(const Draft& draft) { return draft.file.info.deleted.value_or(draft.file.info.changed); }

  // From the last to be deleted to the first, so that each knows what came after it.
  Result<void> judge_blocks() {
    std::vector<std::size_t> order(drafts_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t i) { return end_of(drafts_[i]); });
    BlockSet later;
    std::size_t pieces = 0;
    std::uint64_t steps = 0;
    for (const std::size_t i : order) {
      if (interrupted()) return interruption();
      Draft& draft = drafts_[i];
      for (const Mapping& mapping : draft.mappings) {
        if (pieces > kMostPieces || steps > kMostSteps) {
          draft.complete = false;
          tell_once("deleted files of more pieces than are looked at; not all were judged");
          break;
        }
        std::vector<BlockSpan> used;
        if (!draft.unlinked_only) space_.append_used(mapping.fs_block, mapping.count, used);
        later.append_within(mapping.fs_block, mapping.fs_block + mapping.count, used);
        steps += 1 + used.size();
        // A mapping lies inside one allocation group, and so do its parts.
        for (BlockSpan& span : used) {
          const std::uint64_t length = span.end - span.start;
          span.start = super_.block_offset(span.start);
          span.end = span.start + (length << super_.block_log);
        }
        const Extent extent{mapping.file_block << super_.block_log, super_.block_offset(mapping.fs_block),
                            std::uint64_t{mapping.count} << super_.block_log, mapping.unwritten};
        pieces += append_pieces(extent, std::move(used), draft.file.extents);
      }
      for (const Mapping& mapping : draft.mappings) later.add(mapping.fs_block, mapping.fs_block + mapping.count);
    }
    return {};
  }

  std::span<Draft> drafts_of(std::uint64_t inode) {
    const auto number = [](const Draft& draft) { return draft.file.info.inode; };
    return {std::ranges::lower_bound(drafts_, inode, {}, number), std::ranges::upper_bound(drafts_, inode, {}, number)};
  }

  /// An entry of a directory block that no directory holds any more.
  struct FreedName {
    std::uint64_t folder;
    std::uint32_t generation;
    std::uint64_t inode, offset;
    std::string name;
  };

  // A folder that shrinks moves into its inode, and one that is deleted lets go of all its blocks: what they said stays there until they are used
  // again.
  Result<std::vector<FreedName>> names_of_freed_blocks(const InodeLives& lives) {
    std::vector<FreedName> names;
    std::vector<std::pair<DirectoryBlock, const InodeLife*>> blocks;
    std::vector<image::ByteRange> ranges;
    std::uint64_t looked_at = 0;
    for (const auto& [key, life] : lives) {
      if (life.info.type != FileType::kDirectory) continue;
      for_each_directory_block(super_, key.first, life.mappings, [&, folder = &life](DirectoryBlock&& block) {
        if (++looked_at > kMostFolderBlocks) return false;
        const bool free = !block.pieces.empty() &&
                          std::ranges::all_of(block.pieces, [&](const Mapping& piece) { return space_.holds(piece.fs_block, piece.count); });
        if (!free) return true;
        for (const Mapping& piece : block.pieces)
          ranges.push_back({super_.block_offset(piece.fs_block), std::uint64_t{piece.count} << super_.block_log});
        blocks.emplace_back(std::move(block), folder);
        return blocks.size() < kMostFreedBlocks;
      });
      if (looked_at > kMostFolderBlocks) tell_once("folders of more blocks in the log than are looked at; not all old names were");
      if (blocks.size() >= kMostFreedBlocks || looked_at > kMostFolderBlocks) break;
    }
    ICECORE_CHECK(reader_.source->prefetch(ranges));
    Bytes buffer;
    for (const auto& [block, life] : blocks) {
      if (interrupted()) return interruption();
      const auto read = read_directory_block(reader_, block, buffer);
      if (!read && read.error().code != Code::kCorrupt) return Failure(read.error());
      if (!read || !directory_checksum_ok(super_, buffer)) continue;
      const std::uint64_t offset = super_.block_offset(block.fs_block());
      const auto parsed = parse_directory_block(
          super_, life->info.inode, buffer, false, reader_.at(offset, life->info.inode), [&, folder = life](const RawEntry& entry) {
            if (names.size() < kMostFreedNames)
              names.push_back({folder->info.inode, folder->info.generation, entry.inode, offset, std::string(entry.name)});
          });
      (void)parsed.has_value();  // another folder's block, or none any more
    }
    return names;
  }

  void name_of_freed_block(const FreedName& entry) {
    if (is_live_name(entry.folder, entry.inode, entry.name)) return;
    attach(entry.inode, {entry.folder, entry.generation, entry.name, "", Sureness::kLikely, {Origin::Kind::kDirectory, entry.offset, {}, {}, {}}},
           super_.crc ? Sureness::kLikely : Sureness::kGuess);
  }

  // Of the folders that are asked after only: a disk has millions of names.
  void note_live_names(const LogHistory& history, const std::vector<FreedName>& freed) {
    std::unordered_set<std::uint64_t> folders;
    for (const PastEntry& entry : history.entries) folders.insert(entry.folder);
    for (const FreedName& entry : freed) folders.insert(entry.folder);
    for (const Name& name : table_.names)
      if (!name.deleted && folders.contains(name.parent)) live_.emplace(name.inode, name.parent, table_.text_of(name));
  }

  bool is_live_name(std::uint64_t folder, std::uint64_t inode, std::string_view text) const { return live_.contains({inode, folder, text}); }

  void name_of_slack(const Name& entry) {
    const FileInfo* folder = table_.find(entry.parent);
    const DeletedName name{entry.parent,
                           folder != nullptr ? std::optional(folder->generation) : std::nullopt,
                           std::string(table_.text_of(entry)),
                           "",
                           Sureness::kGuess,
                           {Origin::Kind::kDirectory, 0, {}, {}, {}}};
    const FileInfo* now = table_.find(entry.inode);
    attach(entry.inode, name, now != nullptr && now->allocated ? Sureness::kGuess : Sureness::kLikely);
  }

  // The folder's inode as the log had it. Live names that are still there are none of ours.
  void name_of_log(const PastEntry& entry) {
    if (is_live_name(entry.folder, entry.inode, entry.name)) return;
    DeletedName name{entry.folder, entry.folder_generation, entry.name, "", Sureness::kLikely, {Origin::Kind::kJournal, 0, entry.lsn, {}, {}}};
    if (const FileInfo* folder = table_.find(entry.folder)) name.origin.offset = folder->inode_offset;
    const FileInfo* now = table_.find(entry.inode);
    const bool free = now == nullptr || !now->allocated;
    attach(entry.inode, name, free && super_.crc ? Sureness::kSure : Sureness::kLikely);
  }

  // To the last of the number's lives that have ended; a live file's where there is none.
  void attach(std::uint64_t inode, DeletedName name, Sureness sureness) {
    const auto lives = drafts_of(inode);
    if (!lives.empty()) {
      name.sureness = lives.size() == 1 ? sureness : Sureness::kGuess;
      auto& names = lives.back().file.names;
      const auto same = std::ranges::find_if(names, [&](const DeletedName& other) { return other.parent == name.parent && other.text == name.text; });
      if (same == names.end())
        add_name(names, std::move(name));
      else if (same->sureness < name.sureness)
        *same = std::move(name);
      return;
    }
    name.sureness = Sureness::kGuess;
    const FileInfo* now = table_.find(inode);
    if (now != nullptr && now->allocated) {
      former_.push_back({inode, std::move(name)});
      return;
    }
    DeletedFile& file = unknown_[inode];
    file.info.inode = inode;
    file.info.allocated = false;
    file.origin = name.origin;
    file.size_exact = false;
    add_name(file.names, std::move(name));
  }

  // Each new one is held against all that there are.
  void add_name(std::vector<DeletedName>& names, DeletedName name) {
    if (names.size() >= kMostNamesOfOne) return tell_once("deleted files of more names than are kept");
    names.push_back(std::move(name));
  }

  DeletedFiles assemble(const LogHistory& history, const PathIndex& paths) {
    DeletedFiles result;
    result.journal_transactions = history.transactions;
    for (Draft& draft : drafts_) {
      draft.file.content = judge_content(draft.file, draft.complete);
      // Free inodes lose their mode: what maps blocks like a file was one, or a folder; nobody knows.
      if (draft.file.info.type == FileType::kUnknown && !draft.file.extents.empty()) draft.file.content = ContentState::kUnknown;
      result.files.push_back(std::move(draft.file));
    }
    for (auto& [inode, file] : unknown_) result.files.push_back(std::move(file));
    std::ranges::stable_sort(result.files, {}, [](const DeletedFile& file) { return file.info.inode; });
    result.former_names = std::move(former_);
    std::ranges::stable_sort(result.former_names, {}, &FormerName::inode);
    resolve_paths(result, table_, paths);
    return result;
  }

  const XfsFilesystem& filesystem_;
  const Reader& reader_;
  const Superblock& super_;
  const FileTable& table_;
  Anomalies& anomalies_;
  FreeSpace space_{{}};
  std::vector<Draft> drafts_;  // ascending by inode, and of one inode in the order of its lives' generations
  std::set<std::tuple<std::uint64_t, std::uint64_t, std::string_view>> live_;  // inode, folder, name
  std::vector<FormerName> former_;
  std::map<std::uint64_t, DeletedFile> unknown_;
  std::size_t mappings_ = 0;
  std::set<std::string_view> told_;
};

}  // namespace

Result<DeletedFiles> find_deleted(const XfsFilesystem& filesystem, const FileTable& table, const PathIndex& paths, Anomalies& anomalies) {
  return Finder(filesystem, table, anomalies).run(paths);
}

}  // namespace icecore::fs::xfs
