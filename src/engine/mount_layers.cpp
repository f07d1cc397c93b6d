// Copies that can be written to: a layer over each raw image, kept beside the case.
#include <fmt/format.h>
#include <sys/stat.h>
#include <algorithm>

#include "engine/mount_job.h"

namespace icecore::engine {
namespace {

constexpr std::string_view kSuffix = ".layer";

// A local image may be replaced by another under the same name.
Result<std::string> identity_of(const Disk& disk) {
  if (disk.on_demand) return fmt::format("{}, {} bytes", disk.snapshot, disk.size());
  struct stat status {};
  if (::stat(disk.snapshot.c_str(), &status) != 0) return errno_failure(errno, "look at", disk.snapshot);
  return fmt::format("{}, {} bytes, of {}", Path(disk.snapshot).filename().string(), disk.size(),
                     to_iso8601({status.st_mtim.tv_sec, static_cast<std::uint32_t>(status.st_mtim.tv_nsec)}));
}

}  // namespace

Path layer_of(const Path& case_folder, std::string_view snapshot) {
  Path folder = std::filesystem::absolute(case_folder).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  folder += ".layers";
  return folder / (std::string(snapshot) + std::string(kSuffix));
}

Result<mount::Layout> writable_layout_of(Workspace& workspace, const Target& target, const Path& layer_file) {
  ICECORE_ASSIGN(mount::Layout layout, layout_of(target));
  layout.machine = nullptr;  // the files are those of the evidence; mounting the image shows those of the copy
  for (std::size_t i = 0; i < layout.disks.size(); ++i) {
    const Disk& disk = target.disks[i];
    const Path file = layer_file.empty() ? layer_of(workspace.folder().path(), disk.snapshot) : layer_file;
    ICECORE_CHECK(make_private_directory(file.has_parent_path() ? file.parent_path() : Path(".")));
    ICECORE_ASSIGN(const std::string identity, identity_of(disk));
    ICECORE_ASSIGN(auto layer, image::Layer::open(file, disk.source, identity));
    layout.disks[i].files = {{"image.raw", layer, layer}};
    layout.disks[i].filesystems.clear();
  }
  return layout;
}

Result<std::vector<DiscardedLayer>> discard_layers(const Path& case_folder, std::optional<std::string_view> snapshot) {
  std::vector<Path> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(layer_of(case_folder, "x").parent_path(), ignored))
    if (entry.path().extension() == kSuffix && (!snapshot || entry.path().stem() == *snapshot)) files.push_back(entry.path());
  if (files.empty())
    return fail(Code::kNotFound, fmt::format("{} has no layer: it is as it was", snapshot ? std::string(*snapshot) : case_folder.string()));
  std::ranges::sort(files);
  std::vector<DiscardedLayer> discarded;
  for (const Path& file : files) {
    ICECORE_ASSIGN(const std::uint64_t bytes, image::Layer::discard_file(file));
    discarded.push_back({file, bytes});
  }
  std::filesystem::remove(files.front().parent_path(), ignored);  // where it is empty
  return discarded;
}

}  // namespace icecore::engine
