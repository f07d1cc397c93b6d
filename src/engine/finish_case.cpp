#include "engine/finish_case.h"

#include <filesystem>

#include "image/on_demand_image.h"

namespace icecore::engine {
namespace {

Result<void> seal(Workspace& workspace, const std::string& snapshot, evidence::CaseFolder::Finish& finish) {
  const std::string relative = "snapshots/" + snapshot + "/image.raw";
  ICECORE_ASSIGN(const Path path, workspace.folder().place(relative));
  if (!std::filesystem::exists(path.parent_path() / "blocks.db")) return {};
  ICECORE_ASSIGN(const auto image, image::OnDemandImage::open_offline(path.parent_path()));
  const image::ImageLogState state = image->log_state();
  ICECORE_CHECK(workspace.folder().seal_image(relative, state.blocks, state.sha256));
  if (const auto whole = image->known_whole_image()) {
    finish.known_hashes[relative] = whole->sha256;
  } else {
    finish.left_out[relative] = "filled on demand; blocks.db beside it has the SHA-256 of each block that is there";
  }
  return image->close();
}

}  // namespace

Result<void> finish_case(Workspace& workspace, bool ok, const std::string& summary) {
  if (!workspace.has_case()) return {};
  evidence::CaseFolder::Finish finish{ok, summary, {}, {}};
  const Path snapshots = workspace.folder().path() / "snapshots";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(snapshots, ignored))
    ICECORE_CHECK(seal(workspace, entry.path().filename().string(), finish));
  return workspace.finish(std::move(finish));
}

}  // namespace icecore::engine
