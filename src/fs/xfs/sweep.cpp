#include "fs/xfs/sweep.h"

#include <fmt/format.h>
#include <algorithm>
#include <atomic>
#include <mutex>
#include <unordered_set>

#include "core/parallel.h"
#include "fs/xfs/directory.h"
#include "fs/xfs/directory_map.h"
#include "fs/xfs/extent_map.h"
#include "fs/xfs/inode.h"
#include "fs/xfs/inode_tree.h"
#include "fs/xfs/name_list.h"

namespace icecore::fs::xfs {
namespace {

constexpr std::size_t kReadAtOnce = std::size_t{1} << 20;
constexpr std::size_t kBlocksAtOnce = 64;
// Each block of a directory holds a name, so the disk's inodes bound how many can be honest: four a name's inode, and a gibibyte besides. An extent
// of 16 bytes may claim two million. Of the directory that goes beyond, the first blocks are looked at.
constexpr std::uint64_t kDirectoryBytes = std::uint64_t{1} << 30, kBlocksOfAnInode = 4;
constexpr std::size_t kBlocksBeyond = 1024;

// A directory whose extents are in a tree: the blocks of the level that is read next.
struct TreeDirectory {
  std::uint64_t inode = 0;
  unsigned level = 0;  // of `blocks`
  std::vector<std::uint64_t> blocks;
  std::vector<Mapping> mappings;
  bool broken = false;
};

class Sweep {
 public:
  Sweep(const Reader& reader, const SweepOptions& options, Anomalies& anomalies, Progress& progress)
      : reader_(reader),
        super_(reader.super),
        options_(options),
        anomalies_(anomalies),
        progress_(progress),
        most_directory_blocks_(std::min(reader.source->size(), kDirectoryBytes) / super_.directory_block_size + 1) {}

  Result<FileTable> run() {
    table_.root_inode = super_.root_inode;
    ICECORE_CHECK(read_inodes());
    ICECORE_CHECK(read_directory_trees());
    ICECORE_CHECK(read_directories());
    return std::move(table_);
  }

 private:
  // What one task found in its run of inodes.
  struct Part {
    std::vector<FileInfo> files;
    NameList names;
  };

  Result<void> note(std::string kind, Error error) {
    if (error.code != Code::kCorrupt) return Failure(std::move(error));
    anomalies_.add(std::move(kind), std::move(error));
    return {};
  }

  Result<void> read_inodes() {
    ICECORE_ASSIGN(const auto chunks, read_inode_chunks(reader_, anomalies_));
    most_directory_blocks_ = std::min(reader_.source->size() / super_.directory_block_size + 1,
                                      most_directory_blocks_ + chunks.size() * btree::kInodesPerChunk * kBlocksOfAnInode);
    const auto most = static_cast<std::uint32_t>(kReadAtOnce / super_.inode_size);
    const std::vector<InodeRun> runs = inode_runs(super_, chunks, most);
    std::vector<image::ByteRange> ranges;
    ranges.reserve(runs.size());
    for (const InodeRun& run : runs) ranges.push_back({super_.inode_offset(run.first), std::uint64_t{run.count} * super_.inode_size});
    ICECORE_CHECK(reader_.source->prefetch(ranges));
    progress_.begin("reading inodes", chunks.size() * btree::kInodesPerChunk, "files");
    // Runs are at most 1 MiB, and often a single chunk: one task takes about 1 MiB of them.
    std::vector<std::size_t> starts;
    for (std::size_t i = 0, inodes = most; i < runs.size(); inodes += runs[i++].count) {
      if (inodes < most) continue;
      starts.push_back(i);
      inodes = 0;
    }
    starts.push_back(runs.size());
    std::vector<Part> parts(starts.size() - 1);
    std::atomic<std::uint64_t> done{0};
    auto all = parallel_for(parts.size(), cpu_count(), [&](std::size_t task) -> Result<void> {
      Bytes buffer;
      for (std::size_t i = starts[task]; i < starts[task + 1]; ++i) {
        if (auto read = read_run(runs[i], chunks, buffer, parts[task]); !read) ICECORE_CHECK(note("xfs.inode", std::move(read).error()));
        progress_.update(done += runs[i].count);
      }
      return {};
    });
    ICECORE_CHECK(std::move(all));
    progress_.end();
    join_parts(parts);
    return {};
  }

  void join_parts(std::vector<Part>& parts) {
    std::size_t files = 0;
    for (const Part& part : parts) files += part.files.size();
    table_.files.reserve(files);
    lists_.reserve(parts.size());
    for (Part& part : parts) {
      table_.files.insert(table_.files.end(), part.files.begin(), part.files.end());
      part.files = {};
      if (!part.names.names.empty()) lists_.push_back(std::move(part.names));
    }
  }

  Result<void> read_run(const InodeRun& run, std::span<const InodeChunk> chunks, Bytes& buffer, Part& part) {
    buffer.resize(std::size_t{run.count} * super_.inode_size);
    ICECORE_CHECK(reader_.source->read(super_.inode_offset(run.first), buffer));
    auto chunk = std::ranges::upper_bound(chunks, run.first, {}, &InodeChunk::first) - 1;
    for (std::uint32_t i = 0; i < run.count; ++i) {
      const std::uint64_t inode = run.first + i;
      if (inode >= chunk->first + btree::kInodesPerChunk) ++chunk;
      const bool free = ((chunk->free >> (inode - chunk->first)) & 1U) != 0;
      const ByteView record = ByteView(buffer).subspan(std::size_t{i} * super_.inode_size, super_.inode_size);
      ICECORE_CHECK(read_inode(inode, record, free, part));
    }
    return {};
  }

  Result<void> read_inode(std::uint64_t number, ByteView record, bool free, Part& part) {
    auto inode = parse_inode(super_, number, record, reader_.source->name());
    if (!inode) return note("xfs.inode", std::move(inode).error());
    if (!inode->checksum_ok)
      anomalies_.add("xfs.inode-checksum", {Code::kCorrupt, "inode has a wrong checksum", reader_.at(inode->info.inode_offset, number), {}});
    if (inode->metadata) return {};
    FileInfo info = finished_info(super_, *inode);
    if (free && info.allocated) {
      info.allocated = false;
      info.deleted = info.changed;
    }
    if (info.allocated || (options_.deleted && (info.mode != 0 || inode->remnants))) keep(info, part);
    if (!free && info.allocated && info.type == FileType::kDirectory) return read_directory_fork(*inode, part);
    if (info.allocated && inode->realtime && info.type == FileType::kRegular)
      anomalies_.add("xfs.realtime", {Code::kUnsupported,
                                      "the file's content is on the realtime device, which is not part of this source",
                                      reader_.at(info.inode_offset, number),
                                      {}});
    return {};
  }

  void keep(const FileInfo& info, Part& part) {
    if (!super_.is_internal(info.inode)) return part.files.push_back(info);
    const std::scoped_lock lock(mutex_);
    internal_.push_back(info);
  }

  // A hostile superblock may call any file its own: one that has a name stays.
  void put_back_named() {
    for (const FileInfo& info : internal_) {
      const bool named = std::ranges::any_of(table_.names, [&](const Name& name) { return !name.deleted && name.inode == info.inode; });
      if (named) table_.files.insert(std::ranges::lower_bound(table_.files, info.inode, {}, &FileInfo::inode), info);
    }
  }

  Result<void> read_directory_fork(const Inode& inode, Part& part) {
    const std::uint64_t number = inode.info.inode;
    const Location where = reader_.at(inode.info.inode_offset, number);
    if (inode.data.format == ForkFormat::kLocal) {
      auto done = parse_short_form(super_, inode.data.bytes, where, [&](const RawEntry& entry) { part.names.add(number, entry); });
      return done ? Result<void>() : note("xfs.directory", std::move(done).error());
    }
    if (inode.data.format == ForkFormat::kBtree) {
      auto root = parse_map_root(super_, inode.data, where);
      if (!root) return note("xfs.extent-tree", std::move(root).error());
      const std::scoped_lock lock(mutex_);
      trees_.push_back({number, root->level - 1, std::move(root->children), {}, false});
      return {};
    }
    auto mappings = parse_extent_list(inode.data, where);
    if (!mappings) return note("xfs.extents", std::move(mappings).error());
    return add_directory(number, *mappings, where);
  }

  Result<void> add_directory(std::uint64_t directory, std::span<const Mapping> mappings, const Location& where) {
    if (auto sound = check_mappings(super_, mappings, false, where); !sound) return note("xfs.extents", std::move(sound).error());
    const std::scoped_lock lock(mutex_);
    const std::uint64_t room = most_directory_blocks_ - std::min<std::uint64_t>(most_directory_blocks_, blocks_.size() + incomplete_);
    bool too_many = blocks_claimed(mappings) > room;
    std::uint64_t left = too_many ? std::min<std::uint64_t>(room, kBlocksBeyond) : room;
    for_each_directory_block(super_, directory, mappings, [&](DirectoryBlock&& block) {
      too_many = too_many || left == 0;
      if (left == 0) return false;
      --left;
      if (!block.pieces.empty()) {
        blocks_.push_back(std::move(block));
        return true;
      }
      ++incomplete_;
      anomalies_.add("xfs.directory", {Code::kCorrupt, fmt::format("block {} of the directory is not there whole", block.index), where, {}});
      return true;
    });
    if (!too_many) return {};
    anomalies_.add("xfs.directory",
                   {Code::kCorrupt, "directories map more blocks than this disk and its inodes can need: some share blocks, or lie", where, {}});
    return {};
  }

  std::uint64_t blocks_claimed(std::span<const Mapping> mappings) const {
    const std::uint64_t limit = dir::kLeafOffset >> super_.block_log;
    std::uint64_t claimed = 0;
    for (const Mapping& mapping : mappings) claimed += std::min(mapping.end(), limit) - std::min(mapping.file_block, limit);
    return (claimed << super_.block_log) / super_.directory_block_size;
  }

  // All trees side by side, a level a round.
  Result<void> read_directory_trees() {
    std::ranges::sort(trees_, {}, &TreeDirectory::inode);
    std::unordered_set<std::uint64_t> seen;
    for (bool more = !trees_.empty(); more;) {
      std::vector<std::uint64_t> round;
      for (const TreeDirectory& tree : trees_) round.insert(round.end(), tree.blocks.begin(), tree.blocks.end());
      std::ranges::sort(round);
      ICECORE_CHECK(reader_.prefetch_blocks(round));
      more = false;
      for (TreeDirectory& tree : trees_) {
        if (tree.blocks.empty()) continue;
        ICECORE_CHECK(next_level(tree, seen));
        more = more || !tree.blocks.empty();
      }
    }
    for (TreeDirectory& tree : trees_) {
      ICECORE_CHECK(add_directory(tree.inode, tree.mappings, reader_.at(super_.inode_offset(tree.inode), tree.inode)));
      tree.mappings = {};
    }
    return {};
  }

  Result<void> next_level(TreeDirectory& tree, std::unordered_set<std::uint64_t>& seen) {
    std::vector<std::uint64_t> below;
    for (const std::uint64_t fs_block : tree.blocks)
      if (auto done = read_tree_block(tree, fs_block, seen, below); !done) ICECORE_CHECK(note("xfs.extent-tree", std::move(done).error()));
    tree.blocks = std::move(below);
    if (tree.level > 0) --tree.level;
    return {};
  }

  Result<void> read_tree_block(TreeDirectory& tree, std::uint64_t fs_block, std::unordered_set<std::uint64_t>& seen,
                               std::vector<std::uint64_t>& below) {
    ICECORE_ASSIGN(const Bytes block, reader_.blocks(fs_block));
    const Location where = reader_.at(super_.block_offset(fs_block), tree.inode);
    if (!seen.insert(fs_block).second) return fail(Code::kCorrupt, "extent trees reach a block twice", where);
    ICECORE_ASSIGN(MapBlock parsed, parse_map_block(super_, block, tree.level, where));
    if (super_.crc && !crc_matches(block, btree::kLongCrc))
      anomalies_.add("xfs.extent-tree-checksum", {Code::kCorrupt, "block of an extent tree has a wrong checksum", where, {}});
    below.insert(below.end(), parsed.children.begin(), parsed.children.end());
    tree.mappings.insert(tree.mappings.end(), parsed.mappings.begin(), parsed.mappings.end());
    return {};
  }

  Result<void> read_directories() {
    std::ranges::sort(blocks_, {}, &DirectoryBlock::fs_block);
    std::vector<image::ByteRange> ranges;
    for (const DirectoryBlock& block : blocks_)
      for (const Mapping& piece : block.pieces)
        ranges.push_back({super_.block_offset(piece.fs_block), std::uint64_t{piece.count} << super_.block_log});
    ICECORE_CHECK(reader_.source->prefetch(ranges));
    progress_.begin("reading directories", blocks_.size(), "blocks");
    const std::size_t tasks = (blocks_.size() + kBlocksAtOnce - 1) / kBlocksAtOnce;
    std::vector<NameList> lists(tasks);
    std::atomic<std::uint64_t> done{0};
    auto all = parallel_for(tasks, cpu_count(), [&](std::size_t task) -> Result<void> {
      Bytes buffer;
      const std::size_t end = std::min(blocks_.size(), (task + 1) * kBlocksAtOnce);
      for (std::size_t i = task * kBlocksAtOnce; i < end; ++i) {
        // Two directories cannot share a block; a version 5 block says whose it is, a version 4 block is given to the first.
        const bool shared = i > 0 && blocks_[i - 1].fs_block() == blocks_[i].fs_block();
        auto read = shared ? Result<void>(fail(Code::kCorrupt, "directory block is mapped twice", location(blocks_[i])))
                           : read_directory(blocks_[i], buffer, lists[task]);
        if (!read) ICECORE_CHECK(note("xfs.directory", std::move(read).error()));
        progress_.update(++done);
      }
      return {};
    });
    ICECORE_CHECK(std::move(all));
    progress_.end();
    blocks_ = {};
    std::ranges::move(lists, std::back_inserter(lists_));
    join_names(lists_, table_);
    put_back_named();
    table_.build_index();
    return {};
  }

  Location location(const DirectoryBlock& block) const { return reader_.at(super_.block_offset(block.fs_block()), block.directory); }

  Result<void> read_directory(const DirectoryBlock& block, Bytes& buffer, NameList& list) {
    ICECORE_CHECK(read_directory_block(reader_, block, buffer));
    if (!directory_checksum_ok(super_, buffer))
      anomalies_.add("xfs.directory-checksum", {Code::kCorrupt, "directory block has a wrong checksum", location(block), {}});
    return parse_directory_block(super_, block.directory, buffer, options_.deleted, location(block),
                                 [&](const RawEntry& entry) { list.add(block.directory, entry); });
  }

  const Reader& reader_;
  const Superblock& super_;
  const SweepOptions& options_;
  Anomalies& anomalies_;
  Progress& progress_;
  std::uint64_t most_directory_blocks_;
  std::mutex mutex_;  // of what follows, while inodes are read
  std::vector<DirectoryBlock> blocks_;
  std::uint64_t incomplete_ = 0;  // directory blocks with a piece missing
  std::vector<TreeDirectory> trees_;
  std::vector<FileInfo> internal_;
  std::vector<NameList> lists_;
  FileTable table_;
};

}  // namespace

Result<FileTable> sweep_inodes(const Reader& reader, const SweepOptions& options, Anomalies& anomalies, Progress& progress) {
  return Sweep(reader, options, anomalies, progress).run();
}

}  // namespace icecore::fs::xfs
