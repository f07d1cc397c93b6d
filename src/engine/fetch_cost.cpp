#include "engine/fetch_cost.h"

#include "aws/operations.h"

namespace icecore::engine {

std::uint64_t missing_blocks(const image::OnDemandImage& image) {
  const image::ImageProgress known = image.progress();
  return known.written_blocks - known.recorded_blocks - known.offered_blocks;
}

double price_of_blocks(std::uint64_t count) { return aws::cost_dollars(aws::operation("ebs", "GetSnapshotBlock"), count); }

// Calls cost, whatever they bring: a body that did not match its hash was paid for too, and its block is still to come.
ShownCost::ShownCost(const Workspace& workspace, std::shared_ptr<const image::OnDemandImage> image) : workspace_(workspace) {
  const image::ImageStatistics before = image->statistics();
  const std::uint64_t wanted = missing_blocks(*image);
  workspace.show_cost([image = std::move(image), before, wanted] {
    const image::ImageStatistics now = image->statistics();
    const std::uint64_t fetched = std::min(now.blocks_fetched - before.blocks_fetched, wanted);
    const double so_far = price_of_blocks(now.get_calls - before.get_calls);
    return Cost{so_far, so_far + price_of_blocks(wanted - fetched)};
  });
}

ShownCost::~ShownCost() { workspace_.show_cost(nullptr); }

}  // namespace icecore::engine
