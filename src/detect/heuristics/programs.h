// Programs and other files that no package owns, chosen from the sweep so that few have to be read.
#pragma once

#include <vector>

#include "detect/scene.h"

namespace icecore::detect {

struct Foreign {
  machine::FileRef file;
  bool odd_place = false;  ///< hidden, temporary, or on the packages' ground
};

/// Executable regular files of 1 KiB to 256 MiB that no package owns, outside containers: all in odd places (at most 300), and of the others the 24
/// that came last.
std::vector<Foreign> foreign_programs(const Scene& scene);

/// Small unowned files (at most 1 MiB) in the given folders (as the machine saw them), without those of their subfolders; at most 500.
std::vector<machine::FileRef> small_files_in(const Scene& scene, const std::vector<std::string>& folders);

/// Folders that are hidden on the packages' ground or in temporary places, with unowned files in them.
std::vector<std::string> odd_folders(const Scene& scene);

}  // namespace icecore::detect
