#include "fs/ext4/name_history.h"

#include <fmt/format.h>
#include <algorithm>
#include <unordered_map>

#include "core/interrupt.h"
#include "fs/ext4/content.h"
#include "fs/ext4/directory.h"
#include "fs/ext4/sweep_parts.h"

namespace icecore::fs::ext4 {
namespace {

constexpr std::size_t kMost = 1'000'000;
constexpr std::size_t kMostOwners = 8;           // folders that have held one block one after the other
constexpr std::uint32_t kLostLife = UINT32_MAX;  // of a folder of which nothing else is known

/// A folder that may own a block: which inode, in which life.
struct Owner {
  std::uint64_t inode = 0;
  std::uint32_t generation = 0;
};

struct OwnedRun {
  std::uint64_t start, length;
  Owner owner;
};

/// The live names, to be asked whether one is among them.
class LiveNames {
 public:
  explicit LiveNames(const FileTable& table) : table_(table) {
    for (std::uint32_t i = 0; i < table.names.size(); ++i)
      if (!table.names[i].deleted) order_.push_back(i);
    std::ranges::sort(order_, {}, [&](std::uint32_t i) { return key(table.names[i]); });
  }

  bool has(std::uint64_t parent, std::uint64_t inode, std::string_view text) const {
    const auto wanted = std::pair(inode, parent);
    for (auto at = std::ranges::lower_bound(order_, wanted, {}, [&](std::uint32_t i) { return key(table_.names[i]); });
         at != order_.end() && key(table_.names[*at]) == wanted; ++at)
      if (table_.text_of(table_.names[*at]) == text) return true;
    return false;
  }

 private:
  static std::pair<std::uint64_t, std::uint64_t> key(const Name& name) { return {name.inode, name.parent}; }
  const FileTable& table_;
  std::vector<std::uint32_t> order_;
};

class NameReader {
 public:
  NameReader(const Disk& disk, const JournalHistory& history, const InodeLives& lives, PastDisk& past, const FileTable& table, Anomalies& anomalies)
      : disk_(disk),
        sb_(disk.superblock),
        history_(history),
        lives_(lives),
        past_(past),
        table_(table),
        anomalies_(anomalies),
        live_(table),
        tables_(disk),
        options_{sb_.incompat(incompat::kFiletype), true, sb_.inodes} {}

  Result<std::vector<PastName>> run() {
    ICECORE_CHECK(of_copies());
    of_slack();
    return std::move(names_);
  }

 private:
  Result<void> of_copies() {
    std::vector<const BlockCopy*> without_owner;
    Bytes block(sb_.block_size);
    for (const BlockCopy& copy : history_.copies()) {
      if (interrupted()) return interruption();
      ICECORE_ASSIGN(const bool loaded, load(copy, block));
      if (!loaded) continue;
      if (tables_.first_inode(copy.block) != 0) {
        of_inline_folders(copy, block);
        continue;
      }
      if (!looks_like_directory(block)) continue;
      if (const std::uint64_t self = own_number(block); self != 0)
        of_block(copy, block, candidates(self));
      else
        without_owner.push_back(&copy);
    }
    if (without_owner.empty()) return {};
    ICECORE_CHECK(map_folders());
    for (const BlockCopy* copy : without_owner) {
      if (interrupted()) return interruption();
      ICECORE_ASSIGN(const bool loaded, load(*copy, block));
      if (loaded) of_block(*copy, block, owners_of(copy->block));
    }
    return {};
  }

  Result<bool> load(const BlockCopy& copy, Bytes& block) const {
    const auto loaded = history_.load(copy, block);
    if (!loaded && !is_evidence_error(loaded.error())) return Failure(loaded.error());
    return loaded.has_value();
  }

  bool looks_like_directory(ByteView block) const {
    bool any = false;
    DirentOptions options = options_;
    options.slack = false;
    const auto problem = for_each_dirent(block, options, [&](const Dirent& entry) {
      any = any || (entry.name.find('/') == std::string_view::npos && entry.name.find('\0') == std::string_view::npos);
    });
    // A folder's last name gone, its first block still says what it is.
    return !problem && (any || own_number(block) != 0);
  }

  // The number in "." where the block is a folder's first.
  static std::uint64_t own_number(ByteView block) {
    const bool dot = record_length(block, 0, block.size()) == 12 && std::to_integer<unsigned>(block[6]) == 1 && block[8] == std::byte{'.'};
    const bool dot_dot = std::to_integer<unsigned>(block[18]) == 2 && block[20] == std::byte{'.'} && block[21] == std::byte{'.'};
    return dot && dot_dot ? load_le<std::uint32_t>(block, 0) : 0;
  }

  // Every life that a folder's number has had.
  std::vector<Owner> candidates(std::uint64_t inode) const {
    std::vector<Owner> owners;
    if (const FileInfo* now = table_.find(inode); now != nullptr && now->allocated && now->type == FileType::kDirectory)
      owners.push_back({inode, now->generation});
    for (const std::size_t i : lives_.of(inode))
      if (lives_.all()[i].is_directory && owners.size() < kMostOwners) owners.push_back({inode, lives_.all()[i].generation});
    return owners;
  }

  std::vector<Owner> owners_of(std::uint64_t block) const {
    std::vector<Owner> owners;
    auto at = std::ranges::upper_bound(runs_, block, {}, &OwnedRun::start);
    for (std::size_t steps = 0; at != runs_.begin() && steps < 4 * kMostOwners && owners.size() < kMostOwners; ++steps) {
      --at;
      if (block - at->start < at->length) owners.push_back(at->owner);
      if (block - at->start >= longest_) break;
    }
    return owners;
  }

  Result<void> map_folders() {
    for (const FileInfo& file : table_.files) {
      if (!file.allocated || file.type != FileType::kDirectory || file.size <= sb_.block_size) continue;
      const auto inode = disk_.load_inode(file.inode);
      if (!inode && !is_evidence_error(inode.error())) return Failure(inode.error());
      if (!inode || inode->view().has(inode_flag::kInlineData)) continue;
      add_runs(map_blocks(disk_, inode->view(), 0, file.size / sb_.block_size + 1), {file.inode, file.generation});
      if (runs_.size() > kMost) break;
    }
    for (const InodeLife& life : lives_.all()) {
      if (!life.is_directory || life.rank == 0 || runs_.size() > kMost) continue;
      const auto inode = InodeLives::load(disk_, history_, life.inode, life.best);
      if (!inode && !is_evidence_error(inode.error())) return Failure(inode.error());
      if (!inode || inode->view().has(inode_flag::kInlineData)) continue;
      bool complete = false;
      add_runs(past_.map(inode->view(), life.best.transaction(), complete), {life.inode, life.generation});
    }
    std::ranges::sort(runs_, {}, &OwnedRun::start);
    return {};
  }

  void add_runs(const BlockMap& map, const Owner& owner) {
    for (const Run& run : map.runs) {
      runs_.push_back({run.physical, run.length, owner});
      longest_ = std::max(longest_, run.length);
    }
  }

  void of_block(const BlockCopy& copy, ByteView block, const std::vector<Owner>& owners) {
    const Owner* owner = nullptr;
    bool checked = false;
    for (const Owner& one : owners) {
      checked = sb_.checksums() && directory_checksum_ok(sb_, inode_checksum_seed(sb_, one.inode, one.generation), block);
      if (checked || owner == nullptr) owner = &one;
      if (checked) break;
    }
    const std::uint64_t self = own_number(block);
    // Without any checksum that fits, only a block that names its folder itself is believed.
    if (self == 0 && (owner == nullptr || (sb_.checksums() && !checked))) return;
    DirentOptions options = options_;
    options.slack = !is_tree_node(block);
    Place place{self, std::nullopt, checked, &copy};
    if (owner != nullptr && (checked || !sb_.checksums()))
      place = {owner->inode, owner->generation, checked, &copy};
    else if (sb_.checksums())
      place.generation = kLostLife;  // it is none of those that are known
    (void)for_each_dirent(block, options, [&](const Dirent& entry) { add(place, entry); });
  }

  void of_inline_folders(const BlockCopy& copy, ByteView block) {
    if (!sb_.incompat(incompat::kInlineData)) return;
    const std::uint64_t first = tables_.first_inode(copy.block);
    for (std::size_t at = 0; at + sb_.inode_size <= block.size(); at += sb_.inode_size) {
      const InodeView inode(first + at / sb_.inode_size, block.subspan(at, sb_.inode_size));
      if (inode.type() != FileType::kDirectory || !inode.has(inode_flag::kInlineData) || !inode.linked() || !inode.checksum_ok(sb_)) continue;
      const auto content = inline_content(disk_, inode);
      if (!content) continue;
      const Place place{inode.number(), inode.generation(), sb_.checksums(), &copy};
      for (const ByteView part : inline_directory_parts(*content))
        (void)for_each_dirent(part, options_, [&](const Dirent& entry) { add(place, entry); });
    }
  }

  /// Where an entry was seen.
  struct Place {
    std::uint64_t folder;
    std::optional<std::uint32_t> generation;
    bool checked;
    const BlockCopy* copy;
  };

  void add(const Place& place, const Dirent& entry) {
    if (entry.name.find('/') != std::string_view::npos || entry.name.find('\0') != std::string_view::npos) return;
    const FileInfo* folder = table_.find(place.folder);
    const bool folder_lives = folder != nullptr && folder->allocated && (!place.generation || folder->generation == *place.generation);
    if (folder_lives && live_.has(place.folder, entry.inode, entry.name)) return;
    PastName name;
    name.inode = entry.inode;
    name.type = entry.type;
    bool sure = false;
    assign(name, place.copy->transaction, sure);
    const Origin::Kind kind = place.copy->on_disk ? Origin::Kind::kDirectory : Origin::Kind::kJournal;
    name.name = {place.folder, place.generation, std::string(entry.name), "", Sureness::kGuess, {kind, place.copy->offset, {}, {}, {}}};
    if (!place.copy->on_disk)
      name.name.origin = {kind, place.copy->offset, static_cast<std::uint32_t>(place.copy->transaction), place.copy->block,
                          history_.commit_time(place.copy->transaction)};
    if (!entry.deleted) name.name.sureness = place.checked && sure ? Sureness::kSure : Sureness::kLikely;
    keep(std::move(name));
  }

  // Whose the name was when that transaction was committed.
  void assign(PastName& name, std::uint64_t transaction, bool& sure) const {
    const FileInfo* now = table_.find(name.inode);
    const bool lives = now != nullptr && now->allocated;
    const auto committed = history_.commit_time(transaction);
    if (lives && now->born && committed && *now->born <= *committed) {
      sure = true;
      name.whose = PastName::Whose::kLiveFile;
      return;
    }
    if (const auto life = lives_.at(name.inode, transaction, sure)) {
      name.whose = PastName::Whose::kLife;
      name.life = *life;
    } else if (lives && (!now->born || !committed)) {
      name.whose = PastName::Whose::kLiveFile;
    }
  }

  void of_slack() {
    for (const Name& entry : table_.names) {
      if (!entry.deleted) continue;
      const FileInfo* folder = table_.find(entry.parent);
      PastName name;
      name.inode = entry.inode;
      name.name = {entry.parent,
                   folder != nullptr ? std::optional(folder->generation) : std::nullopt,
                   std::string(table_.text_of(entry)),
                   "",
                   Sureness::kGuess,
                   {Origin::Kind::kDirectory, 0, {}, {}, {}}};
      const FileInfo* now = table_.find(entry.inode);
      const bool lives = now != nullptr && now->allocated;
      const auto& ended = lives_.of(entry.inode);
      for (const std::size_t i : ended) {
        const InodeLife& life = lives_.all()[i];
        if (name.whose != PastName::Whose::kLife || life.best.transaction() > lives_.all()[name.life].best.transaction()) name.life = i;
        name.whose = PastName::Whose::kLife;
      }
      if (name.whose == PastName::Whose::kLife && !lives && ended.size() == 1) name.name.sureness = Sureness::kLikely;
      if (ended.empty() && lives) name.whose = PastName::Whose::kLiveFile;
      keep(std::move(name));
    }
  }

  // Copies come in the order of their blocks, and of one block from the oldest to the newest.
  void keep(PastName name) {
    std::string key = fmt::format("{}/{}/{}/{}/{}/", name.name.parent, name.name.parent_generation.value_or(0), name.inode,
                                  static_cast<int>(name.whose), name.life);
    key += name.name.text;
    const auto [at, added] = known_.try_emplace(std::move(key), names_.size());
    if (!added) {
      PastName& before = names_[at->second];
      if (before.name.sureness <= name.name.sureness) before = std::move(name);
      return;
    }
    if (names_.size() < kMost) {
      names_.push_back(std::move(name));
      return;
    }
    known_.erase(at);
    if (std::exchange(full_, true)) return;
    anomalies_.add("ext4.deleted", Error{Code::kUnsupported, fmt::format("more than {} names of deleted files; the rest was left out", kMost),
                                         Location{disk_.source->name()}, nullptr});
  }

  const Disk& disk_;
  const Superblock& sb_;
  const JournalHistory& history_;
  const InodeLives& lives_;
  PastDisk& past_;
  const FileTable& table_;
  Anomalies& anomalies_;
  const LiveNames live_;
  const InodeTableMap tables_;
  const DirentOptions options_;
  std::vector<OwnedRun> runs_;
  std::uint64_t longest_ = 0;
  std::unordered_map<std::string, std::size_t> known_;
  std::vector<PastName> names_;
  bool full_ = false;
};

}  // namespace

Result<std::vector<PastName>> read_past_names(const Disk& disk, const JournalHistory& history, const InodeLives& lives, PastDisk& past,
                                              const FileTable& table, Anomalies& anomalies) {
  return NameReader(disk, history, lives, past, table, anomalies).run();
}

}  // namespace icecore::fs::ext4
