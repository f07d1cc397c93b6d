// `icecore mount`: a target as folders and files for every other tool.
#pragma once

#include "engine/target.h"
#include "mount/layout.h"

namespace icecore::engine {

/// root/, volumes/NAME/image.raw, partition-N.raw and partition-N/. NAME is the volume's id, else the snapshot's, else the image's file name.
Result<mount::Layout> layout_of(const Target& target);

/// Only volumes/NAME/image.raw, each with a copy-on-write layer, which is kept in `layer_file`, or, where that is empty, in layer_of().
Result<mount::Layout> writable_layout_of(Workspace& workspace, const Target& target, const Path& layer_file);

/// Where the layer of a case's snapshot is: beside the case, not in it, because it is no evidence: CASE.layers/snap-….layer.
Path layer_of(const Path& case_folder, std::string_view snapshot);

struct DiscardedLayer {
  Path file;
  std::uint64_t bytes = 0;  ///< that it took on the disk
};

/// Throws layers away: those of the case's snapshots, or of one. kNotFound where there is none, kBusy while one is mounted.
Result<std::vector<DiscardedLayer>> discard_layers(const Path& case_folder, std::optional<std::string_view> snapshot);

struct MountOptions {
  Path folder;
  bool allow_other = false;
  bool writable = false;
  Path layer_file;                                                      ///< for a local image that is mounted writable
  std::function<Result<void>(const mount::Layout&)> mounted = nullptr;  ///< called once the mount can be used
};

struct Mounted {
  std::uint64_t errors = 0;  ///< reads that were answered with EIO
};

/// Mounts and serves until the mount is taken away. kIntegrity where evidence did not match its hash, even once; damage is in the workspace's
/// anomalies; another error (network, credentials) that a read met is given as it was.
Result<Mounted> mount_target(Workspace& workspace, const Target& target, const MountOptions& options);

}  // namespace icecore::engine
