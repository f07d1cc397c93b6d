// Waiting for a state in the account: pauses that grow, an end, and words for it.
#pragma once

#include <string>

#include "engine/workspace.h"
#include "workstation/machine.h"

namespace icecore::workstation {

class Waiting {
 public:
  Waiting(engine::Workspace& workspace, Patience patience) : workspace_(workspace), patience_(patience) {}

  /// Sleeps before the next look. kNetwork once patience has run out: "`what` after N s; `next`". kInterrupted.
  Result<void> pause(const std::string& what, const std::string& next);

 private:
  engine::Workspace& workspace_;
  const Patience patience_;
  std::int64_t waited_ms_ = 0;
  std::int64_t pause_ms_ = 200;
};

}  // namespace icecore::workstation
