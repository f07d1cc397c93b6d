// `icecore mount`: a target as folders and files for every other tool.
#pragma once

#include "engine/target.h"
#include "mount/layout.h"

namespace icecore::engine {

/// root/, volumes/NAME/image.raw, partition-N.raw and partition-N/. NAME is the volume's id, else the snapshot's, else the image's file name.
Result<mount::Layout> layout_of(const Target& target);

struct MountOptions {
  Path folder;
  bool allow_other = false;
  std::function<Result<void>(const mount::Layout&)> mounted = nullptr;  ///< called once the mount can be used
};

struct Mounted {
  std::uint64_t errors = 0;  ///< reads that were answered with EIO
};

/// Mounts and serves until the mount is taken away. kIntegrity where evidence did not match its hash, even once; damage is in the workspace's
/// anomalies; another error (network, credentials) that a read met is given as it was.
Result<Mounted> mount_target(Workspace& workspace, const Target& target, const MountOptions& options);

}  // namespace icecore::engine
