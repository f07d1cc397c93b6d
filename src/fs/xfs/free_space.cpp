#include "fs/xfs/free_space.h"

#include <fmt/format.h>
#include <algorithm>
#include <unordered_set>

namespace icecore::fs::xfs {
namespace {

constexpr std::size_t kRecord = 8, kKey = 8;  // struct xfs_alloc_rec: start, count

struct Node {
  std::uint32_t ag = 0, ag_block = 0;
  unsigned level = 0;
};

class TreeWalk {
 public:
  TreeWalk(const Reader& reader, Anomalies& anomalies) : reader_(reader), super_(reader.super), anomalies_(anomalies) {}

  Result<FreeSpace> run() {
    const std::uint64_t ag_bytes = std::uint64_t{super_.ag_blocks} << super_.block_log;
    std::vector<image::ByteRange> headers;
    for (std::uint64_t ag = 0; ag < super_.ag_count && ag * ag_bytes < reader_.source->size(); ++ag)
      headers.push_back({ag * ag_bytes + super_.sector_size, super_.sector_size});
    ICECORE_CHECK(reader_.source->prefetch(headers));
    for (std::uint32_t ag = 0; ag < headers.size(); ++ag) ICECORE_CHECK(tolerate(root(ag, headers[ag].offset)));
    while (!frontier_.empty()) {
      std::vector<Node> nodes;
      nodes.swap(frontier_);
      std::vector<std::uint64_t> blocks;
      for (const Node& at : nodes) blocks.push_back(super_.block_of(at.ag, at.ag_block));
      ICECORE_CHECK(reader_.prefetch_blocks(blocks));
      for (const Node& at : nodes) ICECORE_CHECK(tolerate(node(at)));
    }
    return FreeSpace(std::move(runs_));
  }

 private:
  Result<void> tolerate(Result<void> done) {
    if (done || done.error().code != Code::kCorrupt) return done;
    anomalies_.add("xfs.free-space", done.error());
    return {};
  }

  Result<void> root(std::uint32_t ag, std::uint64_t offset) {
    ICECORE_ASSIGN(const Bytes sector, reader_.bytes(offset, super_.sector_size));
    const auto levels = load_be<std::uint32_t>(sector, agf::kBnoLevel);
    if (load_be<std::uint32_t>(sector, 0) != agf::kMagic || levels == 0 || levels > btree::kMaximumLevels)
      return fail(Code::kCorrupt, fmt::format("no free space header of allocation group {}", ag), reader_.at(offset));
    if (super_.crc && !crc_matches(sector, agf::kCrc))
      anomalies_.add("xfs.group-checksum",
                     {Code::kCorrupt, fmt::format("free space header of allocation group {} has a wrong checksum", ag), reader_.at(offset), {}});
    frontier_.push_back({ag, load_be<std::uint32_t>(sector, agf::kBnoRoot), levels - 1});
    return {};
  }

  Result<void> node(const Node& at) {
    const std::uint64_t fs_block = super_.block_of(at.ag, at.ag_block);
    if (at.ag_block >= super_.blocks_in_ag(at.ag) || !seen_.insert(fs_block).second)
      return fail(Code::kCorrupt, fmt::format("free space tree of group {} leaves it or reaches a block twice", at.ag), reader_.at(0));
    const Location where = reader_.at(super_.block_offset(fs_block));
    ICECORE_ASSIGN(const Bytes block, reader_.blocks(fs_block));
    const ByteView body = ByteView(block).subspan(super_.crc ? btree::kShortCrcHeader : btree::kShortHeader);
    const std::size_t records = load_be<std::uint16_t>(block, btree::kRecords);
    const std::size_t capacity = body.size() / (at.level > 0 ? kKey + btree::kShortPointer : kRecord);
    if (load_be<std::uint32_t>(block, 0) != (super_.crc ? btree::kFreeBlockCrcMagic : btree::kFreeBlockMagic) ||
        load_be<std::uint16_t>(block, btree::kLevel) != at.level || records > capacity ||
        (super_.crc && load_be<std::uint32_t>(block, btree::kShortOwner) != at.ag))
      return fail(Code::kCorrupt, fmt::format("no block of group {}'s free space tree", at.ag), where);
    if (super_.crc && !crc_matches(block, btree::kShortCrc))
      anomalies_.add("xfs.free-space-checksum", {Code::kCorrupt, "block of a free space tree has a wrong checksum", where, {}});
    for (std::size_t i = 0; i < records; ++i) {
      if (at.level > 0)
        frontier_.push_back({at.ag, load_be<std::uint32_t>(body, capacity * kKey + i * btree::kShortPointer), at.level - 1});
      else
        add_run(at.ag, load_be<std::uint32_t>(body, i * kRecord), load_be<std::uint32_t>(body, i * kRecord + 4), where);
    }
    return {};
  }

  void add_run(std::uint32_t ag, std::uint32_t start, std::uint32_t count, const Location& where) {
    const std::uint32_t blocks = super_.blocks_in_ag(ag);
    if (count > 0 && start < blocks && count <= blocks - start)
      runs_.push_back({super_.block_of(ag, start), count});
    else
      anomalies_.add("xfs.free-space",
                     {Code::kCorrupt, fmt::format("free space of {} blocks at block {} is not in group {}", count, start, ag), where, {}});
  }

  const Reader& reader_;
  const Superblock& super_;
  Anomalies& anomalies_;
  std::vector<Node> frontier_;
  std::unordered_set<std::uint64_t> seen_;
  std::vector<FreeSpace::Run> runs_;
};

}  // namespace

FreeSpace::FreeSpace(std::vector<Run> runs) : runs_(std::move(runs)) {
  std::ranges::sort(runs_, {}, &Run::fs_block);
  std::size_t kept = 0;
  for (const Run& run : runs_) {
    if (kept > 0 && run.fs_block <= runs_[kept - 1].fs_block + runs_[kept - 1].count)
      runs_[kept - 1].count = std::max(runs_[kept - 1].count, run.fs_block + run.count - runs_[kept - 1].fs_block);
    else
      runs_[kept++] = run;
  }
  runs_.resize(kept);
}

bool FreeSpace::holds(std::uint64_t fs_block, std::uint32_t count) const {
  const auto after = std::ranges::upper_bound(runs_, fs_block, {}, &Run::fs_block);
  return after != runs_.begin() && fs_block + count <= (after - 1)->fs_block + (after - 1)->count;
}

void FreeSpace::append_used(std::uint64_t fs_block, std::uint32_t count, std::vector<BlockSpan>& out) const {
  const std::uint64_t end = fs_block + count;
  auto run = std::ranges::upper_bound(runs_, fs_block, {}, &Run::fs_block);
  if (run != runs_.begin()) --run;
  std::uint64_t at = fs_block;
  for (; run != runs_.end() && run->fs_block < end; ++run) {
    if (run->fs_block > at) out.push_back({at, run->fs_block});
    at = std::max(at, run->fs_block + run->count);
  }
  if (at < end) out.push_back({at, end});
}

Result<FreeSpace> read_free_space(const Reader& reader, Anomalies& anomalies) { return TreeWalk(reader, anomalies).run(); }

}  // namespace icecore::fs::xfs
