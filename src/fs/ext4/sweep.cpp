#include "fs/ext4/sweep.h"

#include <algorithm>
#include <tuple>

#include "fs/ext4/sweep_parts.h"

namespace icecore::fs::ext4 {
namespace {

void append_names(FileTable& table, NameList list) {
  const std::uint64_t shift = table.text.size();
  table.text += list.text;
  for (Name name : list.names) {
    name.text_offset += shift;
    table.names.push_back(name);
  }
}

void join_names(FileTable& table, std::vector<NameList> lists) {
  std::size_t names = 0, text = 0;
  for (const NameList& list : lists) {
    names += list.names.size();
    text += list.text.size();
  }
  table.names.reserve(names);
  table.text.reserve(text);
  for (NameList& list : lists) append_names(table, std::exchange(list, {}));
}

void join_files(FileTable& table, std::vector<InodeChunk>& chunks) {
  std::size_t files = 0;
  for (const InodeChunk& chunk : chunks) files += chunk.files.size();
  table.files.reserve(files);
  for (InodeChunk& chunk : chunks) {
    table.files.insert(table.files.end(), chunk.files.begin(), chunk.files.end());
    chunk.files = {};
  }
  const auto by_inode = [](const FileInfo& a, const FileInfo& b) { return a.inode < b.inode; };
  if (!std::ranges::is_sorted(table.files, by_inode)) std::ranges::sort(table.files, by_inode);
}

// When a full directory block is split, half of its entries stay behind in its slack: copies of names that still live. Those are no deleted names;
// nor does a deleted name count twice.
void drop_stale_copies(FileTable& table) {
  constexpr std::uint64_t kFilterBits = std::uint64_t{1} << 20;
  const auto hash = [](const Name& name) { return ((name.inode * 0x9E3779B97F4A7C15U) ^ (name.parent * 0xC2B2AE3D27D4EB4FU)) >> 44; };
  static_assert(kFilterBits >> 20 == 1, "hash gives 20 bits");
  const auto key = [&](std::uint32_t index) {
    const Name& name = table.names[index];
    return std::tuple(name.inode, name.parent, table.text_of(name));
  };
  std::vector<std::uint32_t> deleted;
  std::vector<bool> filter(kFilterBits);
  for (std::uint32_t i = 0; i < table.names.size(); ++i) {
    if (!table.names[i].deleted) continue;
    deleted.push_back(i);
    filter[hash(table.names[i])] = true;
  }
  if (deleted.empty()) return;
  std::ranges::sort(deleted, {}, key);
  std::vector<bool> drop(table.names.size());
  for (std::size_t i = 1; i < deleted.size(); ++i) drop[deleted[i]] = key(deleted[i]) == key(deleted[i - 1]);
  for (std::uint32_t i = 0; i < table.names.size(); ++i) {
    if (table.names[i].deleted || !filter[hash(table.names[i])]) continue;
    for (auto copy = std::ranges::lower_bound(deleted, key(i), {}, key); copy != deleted.end() && key(*copy) == key(i); ++copy) drop[*copy] = true;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < table.names.size(); ++i)
    if (!drop[i]) table.names[kept++] = table.names[i];
  table.names.resize(kept);
}

// A live name whose inode lies in the part of its table that the descriptor calls unused: the kernel would follow it, so do we.
Result<void> add_missed(const SweepContext& context, FileTable& table) {
  constexpr std::size_t kMaximum = 100'000;
  const Disk& disk = context.disk;
  std::vector<std::uint64_t> missed;
  for (const Name& name : table.names) {
    const std::uint64_t group = (name.inode - 1) / disk.superblock.inodes_per_group;
    if (name.deleted || name.inode == 0 || group >= disk.groups.size()) continue;
    if ((name.inode - 1) % disk.superblock.inodes_per_group >= disk.groups[group].inodes_used_part && missed.size() < kMaximum)
      missed.push_back(name.inode);
  }
  if (missed.empty()) return {};
  std::ranges::sort(missed);
  missed.erase(std::unique(missed.begin(), missed.end()), missed.end());
  for (const std::uint64_t number : missed) {
    auto inode = disk.load_inode(number);
    if (!inode && !is_evidence_error(inode.error())) return Failure(inode.error());
    context.anomalies.add("ext4.inode-table",
                          inode ? disk.corrupt("a name leads to an inode that its group says was never used", number).value() : inode.error());
    if (inode && inode->view().linked()) table.files.push_back(inode->view().info(disk.superblock, inode->offset()));
  }
  std::ranges::sort(table.files, {}, &FileInfo::inode);
  return {};
}

}  // namespace

Result<FileTable> sweep_disk(const Disk& disk, const std::vector<std::uint64_t>& kept_orphans, const SweepOptions& options, Anomalies& anomalies,
                             Progress& progress) {
  const SweepContext context{disk, kept_orphans, options, anomalies};
  ICECORE_ASSIGN(auto chunks, sweep_inode_tables(context, progress));
  std::vector<DirectoryPiece> pieces;
  std::vector<Inode> mapped_elsewhere;
  std::vector<NameList> lists(1);
  for (InodeChunk& chunk : chunks) {
    pieces.insert(pieces.end(), chunk.pieces.begin(), chunk.pieces.end());
    std::ranges::move(chunk.mapped_elsewhere, std::back_inserter(mapped_elsewhere));
    lists.push_back(std::move(chunk.inline_names));
  }
  ICECORE_CHECK(map_remaining(context, std::move(mapped_elsewhere), pieces));
  FileTable table;
  table.root_inode = kRootInode;
  join_files(table, chunks);
  ICECORE_ASSIGN(auto named, sweep_directories(context, std::move(pieces), progress));
  std::ranges::move(named, std::back_inserter(lists));
  join_names(table, std::move(lists));
  ICECORE_CHECK(add_missed(context, table));
  if (options.deleted) drop_stale_copies(table);
  table.build_index();
  return table;
}

}  // namespace icecore::fs::ext4
