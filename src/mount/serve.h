// The mount itself: FUSE in user space, read-only, until it is taken away.
#pragma once

#include <functional>
#include <string>

#include "core/file.h"
#include "mount/faults.h"
#include "mount/tree.h"

namespace icecore::mount {

struct ServeOptions {
  std::string name;                                 ///< what `mount` and `df` show: the target
  bool allow_other = false;                         ///< users besides the one who mounts
  bool read_ahead = false;                          ///< something has to be fetched
  bool writable = false;                            ///< some file has a layer
  std::function<Result<void>()> mounted = nullptr;  ///< called once the mount can be used
};

/// kInvalidArgument, kConflict or kNotFound for a folder that cannot take a mount, each with what to do. Makes it where it is missing.
Result<void> check_mount_point(const Path& folder);

/// Mounts on `folder` and answers the kernel on several threads, until fusermount3 -u, SIGINT, SIGTERM or SIGHUP; the mount is gone when it returns.
/// A second signal ends the program at once. kPermission, kUnsupported (no FUSE on this machine), kIo.
Result<void> serve(Tree& tree, Faults& faults, const Path& folder, const ServeOptions& options);

}  // namespace icecore::mount
