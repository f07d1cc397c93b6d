// What the blocks of a target cost: EBS direct is paid by the call, also where it is refused.
#pragma once

#include "engine/target.h"

namespace icecore::engine {

/// In US dollars, at the list prices of US East.
struct FetchCost {
  double so_far = 0;   ///< of this run's calls
  double to_come = 0;  ///< for the written blocks that are known, not here yet, and in no baseline
};

/// Thread-safe and cheap: a progress bar may ask ten times a second.
FetchCost fetch_cost(const Target& target);

}  // namespace icecore::engine
