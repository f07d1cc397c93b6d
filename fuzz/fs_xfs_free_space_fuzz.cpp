// Hostile free space trees: loops, cross-links, runs that leave their group or overlap.
#include "fs/xfs/free_space.h"
#include "xfs_parts.h"

using namespace icecore;
using fuzz::xfs::require;

// A record of 8 bytes becomes a run of 16, thrice while the list grows, and a span of 16 for the used space beside it, likewise. The base holds the
// anomalies: a thousand of a kind.
const icecore::fuzz::Budget icecore::fuzz::kBudget{.times = 12, .base = 1 << 20};

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const auto input = fuzz::xfs::input_of(fuzz::view_of(data, size));
  if (!input) return;
  const fs::xfs::Superblock& super = input->reader.super;
  Anomalies anomalies;
  const auto space = fs::xfs::read_free_space(input->reader, anomalies);
  require(space.has_value(), "damage is an anomaly");
  for (std::uint32_t ag = 0; ag < super.ag_count; ++ag) {
    // All of a group but its first block, which is never free: the used parts ascend inside it, and say the same as holds().
    const std::uint64_t begin = super.block_of(ag, 1);
    const std::uint32_t count = super.blocks_in_ag(ag) - 1;
    std::vector<fs::BlockSpan> used;
    space->append_used(begin, count, used);
    std::uint64_t next = begin;
    for (const fs::BlockSpan& span : used) {
      require(span.start >= next && span.end > span.start && span.end <= begin + count, "used spans ascend inside of what was asked for");
      next = span.end;
    }
    require(space->holds(begin, count) == used.empty(), "all is free where nothing is used");
    const std::uint64_t one = begin + input->number % count;
    const bool in_used = std::ranges::any_of(used, [&](const fs::BlockSpan& span) { return one >= span.start && one < span.end; });
    require(space->holds(one, 1) != in_used, "a block is free or used");
  }
}
