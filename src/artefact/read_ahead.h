// One round of fetching for all that the collectors will read.
#pragma once

#include "machine/machine.h"

namespace icecore::artefact {

/// Tells the sources what collectors are about to read; collect_all() does it, a caller that runs collectors singly may. Local images do nothing.
Result<void> read_ahead(const machine::Machine& machine);

}  // namespace icecore::artefact
