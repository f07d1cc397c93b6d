// A qcow2 image with its backing files.
#include <fmt/format.h>

#include "container/formats.h"
#include "container/qcow2_source.h"

namespace icecore::container {
namespace {

constexpr int kLongestChain = 16;

Result<image::SourcePtr> open_chain(const Path& path, int depth);

Result<image::SourcePtr> open_backing(const Path& path, const Qcow2Header& header, int depth) {
  if (header.backing.empty()) return image::SourcePtr();
  ICECORE_ASSIGN(const Path below, beside(path, header.backing));
  if (header.backing_format == "raw") {
    ICECORE_ASSIGN(auto raw, image::FileSource::open(below));
    return image::SourcePtr(std::move(raw));
  }
  if (header.backing_format != "qcow2" && !header.backing_format.empty())
    return fail(Code::kUnsupported, fmt::format("{} stands on {}, a {} image: that is not read; `qemu-img convert -O raw` makes a raw image of both",
                                                path.string(), below.string(), header.backing_format));
  // Without a format QEMU guesses by the first bytes, and a guest can write those: what is no qcow2 is refused then.
  return open_chain(below, depth + 1);
}

Result<image::SourcePtr> open_chain(const Path& path, int depth) {
  if (depth > kLongestChain) return fail(Code::kCorrupt, fmt::format("{} stands on more than {} backing files", path.string(), kLongestChain));
  ICECORE_ASSIGN(const auto file, image::FileSource::open(path));
  ICECORE_ASSIGN(const Qcow2Header header, read_qcow2_header(*file));
  ICECORE_CHECK(checked_size(header.disk_size, path));
  ICECORE_ASSIGN(auto backing, open_backing(path, header, depth));
  ICECORE_ASSIGN(auto source, Qcow2Source::make(file, header, std::move(backing)));
  return image::SourcePtr(std::move(source));
}

}  // namespace

Result<Container> open_qcow2(const Path& path) {
  ICECORE_ASSIGN(auto source, open_chain(path, 0));
  return Container{std::move(source), "qcow2", {}, {}};
}

}  // namespace icecore::container
