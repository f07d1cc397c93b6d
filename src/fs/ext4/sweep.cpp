#include "fs/ext4/sweep.h"

#include <fmt/format.h>
#include <algorithm>

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
  missed.erase(std::ranges::unique(missed).begin(), missed.end());
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
  return table;
}

}  // namespace icecore::fs::ext4
