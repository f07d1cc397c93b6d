#include "engine/local_image.h"

#include "image/case_image.h"

namespace icecore::engine {

Result<container::Container> open_local_image(const Path& path) {
  if (!image::is_case_image(path)) return container::open_container(path);
  ICECORE_ASSIGN(auto source, image::open_case_image(path.parent_path()));
  return container::Container{std::move(source), "raw", {}, {}};
}

}  // namespace icecore::engine
