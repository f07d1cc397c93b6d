// Hostile inode trees: group headers, trees that point at themselves and at each other, chunks that overlap or lie nowhere.
#include "fs/xfs/inode_tree.h"
#include "xfs_parts.h"

using namespace icecore;
using fuzz::xfs::require;

// The 16 bytes of a chunk may make eight runs of 16 bytes each, and twice as much again while the vector grows; a chunk itself is 24 bytes. The base
// holds the anomalies: a thousand of a kind.
const icecore::fuzz::Budget icecore::fuzz::kBudget{.times = 28, .base = 1 << 20};

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const auto input = fuzz::xfs::input_of(fuzz::view_of(data, size));
  if (!input) return;
  const fs::xfs::Superblock& super = input->reader.super;
  Anomalies anomalies;
  const auto chunks = fs::xfs::read_inode_chunks(input->reader, anomalies);
  require(chunks.has_value(), "damage is an anomaly");
  std::uint64_t next = 0;
  for (const fs::xfs::InodeChunk& chunk : *chunks) {
    require(chunk.first >= next, "chunks ascend and do not overlap");
    next = chunk.first + 64;
  }
  const auto most = static_cast<std::uint32_t>((input->number % 64 + 16) * 4);
  next = 0;
  for (const fs::xfs::InodeRun& run : fs::xfs::inode_runs(super, *chunks, most)) {
    require(run.first >= next && run.count > 0 && run.count <= most, "runs ascend and are no longer than asked for");
    next = run.first + run.count;
    require(super.contains_inode(run.first) && super.contains_inode(next - 1), "a run's inodes are of the filesystem");
    require(super.inode_offset(next - 1) - super.inode_offset(run.first) == std::uint64_t{run.count - 1} * super.inode_size,
            "a run's inodes lie one after the other");
  }
}
