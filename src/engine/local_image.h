// A disk on this machine, whatever its file is.
#pragma once

#include "container/container.h"
#include "core/file.h"

namespace icecore::engine {

/// container::open_container; but the image.raw of a case is what its blocks.db says it is (image/case_image.h).
Result<container::Container> open_local_image(const Path& path);

}  // namespace icecore::engine
