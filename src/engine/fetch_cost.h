// What the missing blocks of an image cost, before and while they are fetched.
#pragma once

#include "engine/target.h"

namespace icecore::engine {

/// Blocks that have to come over the wire: neither here nor offered by a baseline. Exact once everything is listed.
std::uint64_t missing_blocks(const image::OnDemandImage& image);

/// Dollars for so many GetSnapshotBlock calls.
double price_of_blocks(std::uint64_t count);

/// Shows what fetching costs (Workspace::show_cost) as long as it lives.
class ShownCost {
 public:
  /// `workspace` outlives it.
  ShownCost(const Workspace& workspace, std::shared_ptr<const image::OnDemandImage> image);
  ~ShownCost();
  ShownCost(const ShownCost&) = delete;
  ShownCost& operator=(const ShownCost&) = delete;

 private:
  const Workspace& workspace_;
};

}  // namespace icecore::engine
