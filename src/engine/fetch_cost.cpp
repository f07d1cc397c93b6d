#include "engine/fetch_cost.h"

#include "aws/operations.h"

namespace icecore::engine {

FetchCost fetch_cost(const Target& target) {
  const auto price = [](const char* operation, std::uint64_t calls) { return aws::cost_dollars(aws::operation("ebs", operation), calls); };
  FetchCost cost;
  for (const Disk& disk : target.disks) {
    if (!disk.on_demand) continue;
    const image::ImageStatistics statistics = disk.on_demand->statistics();
    const image::ImageProgress known = disk.on_demand->progress();
    const std::uint64_t here = known.recorded_blocks + known.offered_blocks;
    cost.so_far += price("GetSnapshotBlock", statistics.get_calls) + price("ListSnapshotBlocks", statistics.list_calls);
    if (known.written_blocks > here) cost.to_come += price("GetSnapshotBlock", known.written_blocks - here);
  }
  return cost;
}

}  // namespace icecore::engine
