// The kernel's questions, answered from a Tree. Internal to mount/.
#pragma once

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "mount/faults.h"
#include "mount/read_ahead.h"
#include "mount/tree.h"

namespace icecore::mount {

/// What the callbacks work on; FUSE's userdata.
struct Session {
  Tree& tree;
  Faults& faults;
  ReadAhead* read_ahead = nullptr;  ///< null: nothing has to be fetched
};

const fuse_lowlevel_ops& operations();

}  // namespace icecore::mount
