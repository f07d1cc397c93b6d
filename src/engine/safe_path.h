// Paths of this machine made of names from a hostile disk.
#pragma once

#include <string_view>

#include "core/file.h"
#include "core/result.h"

namespace icecore::engine {

/// `inside` (separated by '/') below `destination`; kCorrupt where a name in it would lead out (".." and the like). Nothing is made.
Result<Path> path_below(const Path& destination, std::string_view inside);

}  // namespace icecore::engine
