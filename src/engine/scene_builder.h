// From an opened target to what detectors look at.
#pragma once

#include "detect/scene.h"
#include "engine/target.h"

namespace icecore::engine {

/// The case's control plane: CloudTrail events and the instance's metadata. Empty without a case.
Result<void> add_control_plane(Workspace& workspace, const Target& target, std::vector<artefact::Event>& events, detect::InstanceMetadata& metadata);

/// One table for each mount of the machine, in the order of its mounts. A filesystem whose sweep fails is an anomaly and an empty entry.
Result<std::vector<detect::Sweep>> sweep_machine(Workspace& workspace, const machine::Machine& machine);

}  // namespace icecore::engine
