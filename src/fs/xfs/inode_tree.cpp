#include "fs/xfs/inode_tree.h"

#include <fmt/format.h>
#include <algorithm>
#include <unordered_set>

namespace icecore::fs::xfs {
namespace {

struct Node {
  std::uint32_t ag = 0;
  std::uint32_t ag_block = 0;
  unsigned level = 0;
};

class TreeWalk {
 public:
  TreeWalk(const Reader& reader, Anomalies& anomalies) : reader_(reader), super_(reader.super), anomalies_(anomalies) {}

  Result<std::vector<InodeChunk>> run() {
    ICECORE_CHECK(read_roots());
    while (!frontier_.empty()) ICECORE_CHECK(next_level());
    std::ranges::sort(chunks_, {}, &InodeChunk::first);
    drop_overlaps();
    return std::move(chunks_);
  }

 private:
  // A failure of the evidence is noted; a failure of the source ends the walk.
  Result<void> note(std::string kind, Error error) {
    if (error.code != Code::kCorrupt) return Failure(std::move(error));
    anomalies_.add(std::move(kind), std::move(error));
    return {};
  }

  Result<void> read_roots() {
    std::vector<image::ByteRange> headers;
    // Groups beyond the source's end cannot be read: one anomaly for all of them comes from open().
    const std::uint64_t ag_bytes = std::uint64_t{super_.ag_blocks} << super_.block_log;
    for (std::uint64_t ag = 0; ag < super_.ag_count && ag * ag_bytes < reader_.source->size(); ++ag)
      headers.push_back({ag * ag_bytes + 2 * std::uint64_t{super_.sector_size}, super_.sector_size});
    ICECORE_CHECK(reader_.source->prefetch(headers));
    for (std::uint32_t ag = 0; ag < headers.size(); ++ag)
      if (auto done = read_root(ag, headers[ag].offset); !done) ICECORE_CHECK(note("xfs.group", std::move(done).error()));
    return {};
  }

  Result<void> read_root(std::uint32_t ag, std::uint64_t offset) {
    ICECORE_ASSIGN(const Bytes sector, reader_.bytes(offset, super_.sector_size));
    const Location where = reader_.at(offset);
    if (load_be<std::uint32_t>(sector, 0) != agi::kMagic || load_be<std::uint32_t>(sector, agi::kSequence) != ag)
      return fail(Code::kCorrupt, fmt::format("no inode header of allocation group {}", ag), where);
    if (super_.crc && !crc_matches(sector, agi::kCrc))
      anomalies_.add("xfs.group-checksum", {Code::kCorrupt, fmt::format("inode header of allocation group {} has a wrong checksum", ag), where, {}});
    const auto levels = load_be<std::uint32_t>(sector, agi::kLevel);
    if (levels == 0 || levels > btree::kMaximumLevels)
      return fail(Code::kCorrupt, fmt::format("inode tree of allocation group {} has {} levels", ag, levels), where);
    frontier_.push_back({ag, load_be<std::uint32_t>(sector, agi::kRoot), levels - 1});
    return {};
  }

  Result<void> next_level() {
    std::vector<Node> nodes;
    nodes.swap(frontier_);
    std::vector<std::uint64_t> blocks;
    for (const Node& node : nodes) blocks.push_back(super_.block_of(node.ag, node.ag_block));
    ICECORE_CHECK(reader_.prefetch_blocks(blocks));
    for (const Node& node : nodes)
      if (auto done = read_node(node); !done) ICECORE_CHECK(note("xfs.inode-tree", std::move(done).error()));
    return {};
  }

  Result<void> read_node(const Node& node) {
    const std::uint64_t fs_block = super_.block_of(node.ag, node.ag_block);
    if (node.ag_block >= super_.blocks_in_ag(node.ag))
      return fail(Code::kCorrupt, fmt::format("inode tree of group {} points outside of it", node.ag), reader_.at(0));
    const Location where = reader_.at(super_.block_offset(fs_block));
    if (!seen_.insert(fs_block).second) return fail(Code::kCorrupt, "inode trees reach a block twice", where);
    ICECORE_ASSIGN(const Bytes block, reader_.blocks(fs_block));
    if (load_be<std::uint32_t>(block, 0) != (super_.crc ? btree::kInodeCrcMagic : btree::kInodeMagic) ||
        load_be<std::uint16_t>(block, btree::kLevel) != node.level || (super_.crc && load_be<std::uint32_t>(block, btree::kShortOwner) != node.ag))
      return fail(Code::kCorrupt, fmt::format("no block of group {}'s inode tree at level {}", node.ag, node.level), where);
    if (super_.crc && !crc_matches(block, btree::kShortCrc))
      anomalies_.add("xfs.inode-tree-checksum", {Code::kCorrupt, "block of an inode tree has a wrong checksum", where, {}});
    const ByteView body = ByteView(block).subspan(super_.crc ? btree::kShortCrcHeader : btree::kShortHeader);
    const std::size_t records = load_be<std::uint16_t>(block, btree::kRecords);
    const std::size_t capacity = body.size() / (node.level > 0 ? btree::kInodeKey + btree::kShortPointer : btree::kInodeRecord);
    if (records > capacity) return fail(Code::kCorrupt, fmt::format("block of an inode tree claims {} records of {}", records, capacity), where);
    for (std::size_t i = 0; i < records; ++i) {
      if (node.level > 0) {
        const auto child = load_be<std::uint32_t>(body, capacity * btree::kInodeKey + i * btree::kShortPointer);
        frontier_.push_back({node.ag, child, node.level - 1});
      } else {
        read_record(node.ag, body.subspan(i * btree::kInodeRecord, btree::kInodeRecord), where);
      }
    }
    return {};
  }

  // struct xfs_inobt_rec
  void read_record(std::uint32_t ag, ByteView record, const Location& where) {
    InodeChunk chunk;
    chunk.first = super_.inode_of(ag, load_be<std::uint32_t>(record, 0));
    chunk.free = load_be<std::uint64_t>(record, 8);
    if ((super_.features_incompatible & sb::kIncompatibleSparseInodes) != 0) {
      const auto mask = load_be<std::uint16_t>(record, 4);
      for (unsigned bit = 0; bit < 16; ++bit)
        if (((mask >> bit) & 1U) != 0) chunk.holes |= std::uint64_t{0xf} << (bit * btree::kInodesPerHoleBit);
    }
    const unsigned last = btree::kInodesPerChunk - 1;
    const bool aligned = chunk.first % std::min<std::uint64_t>(btree::kInodesPerChunk, super_.inodes_per_block()) == 0;
    const bool inside = (chunk.first >> (super_.ag_block_log + super_.inodes_per_block_log)) == ag && super_.contains_inode(chunk.first) &&
                        (chunk.holes != 0 || super_.contains_inode(chunk.first + last));
    if (aligned && inside) {
      chunks_.push_back(chunk);
      return;
    }
    anomalies_.add("xfs.inode-tree", {Code::kCorrupt, fmt::format("chunk of inodes from {} on is not in group {}", chunk.first, ag), where, {}});
  }

  void drop_overlaps() {
    std::uint64_t next = 0;
    std::erase_if(chunks_, [&](const InodeChunk& chunk) {
      if (chunk.first < next) {
        anomalies_.add("xfs.inode-tree",
                       {Code::kCorrupt, fmt::format("chunk of inodes from {} on overlaps another", chunk.first), reader_.at(0), {}});
        return true;
      }
      next = chunk.first + btree::kInodesPerChunk;
      return false;
    });
  }

  const Reader& reader_;
  const Superblock& super_;
  Anomalies& anomalies_;
  std::vector<Node> frontier_;
  std::unordered_set<std::uint64_t> seen_;
  std::vector<InodeChunk> chunks_;
};

}  // namespace

Result<std::vector<InodeChunk>> read_inode_chunks(const Reader& reader, Anomalies& anomalies) { return TreeWalk(reader, anomalies).run(); }

std::vector<InodeRun> inode_runs(const Superblock& super, std::span<const InodeChunk> chunks, std::uint32_t most) {
  std::vector<InodeRun> runs;
  for (const InodeChunk& chunk : chunks) {
    for (unsigned i = 0; i < btree::kInodesPerChunk; i += btree::kInodesPerHoleBit) {
      const std::uint64_t inode = chunk.first + i;
      if (((chunk.holes >> i) & 1U) != 0 || !super.contains_inode(inode + btree::kInodesPerHoleBit - 1)) continue;
      const bool touches = !runs.empty() && runs.back().count + btree::kInodesPerHoleBit <= most && runs.back().first + runs.back().count == inode &&
                           super.inode_offset(inode) == super.inode_offset(runs.back().first) + std::uint64_t{runs.back().count} * super.inode_size;
      if (touches)
        runs.back().count += btree::kInodesPerHoleBit;
      else
        runs.push_back({inode, btree::kInodesPerHoleBit});
    }
  }
  return runs;
}

}  // namespace icecore::fs::xfs
