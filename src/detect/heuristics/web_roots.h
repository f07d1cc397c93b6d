// The folders that the machine's web servers hand out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "detect/scene.h"

namespace icecore::detect {

/// Of nginx's `root` and Apache's `DocumentRoot` in their enabled sites, and the usual folders; of volumes that the machine's fstab does not name (a
/// data volume that was given alone) the folders that are usually called so. Without "/" itself.
Result<std::vector<std::string>> web_roots(const Scene& scene);

/// Whether `path` lies in one of the folders.
bool is_below_any(std::string_view path, const std::vector<std::string>& folders);

}  // namespace icecore::detect
