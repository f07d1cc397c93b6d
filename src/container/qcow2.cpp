// qcow2 through libqcow. What that library does not know (zstd, external data files, subclusters) it would misread, so the header is looked at first.
// QEMU docs/interop/qcow2.txt.
#include <libqcow.h>

#include <fmt/format.h>

#include "container/formats.h"
#include "core/text.h"

namespace icecore::container {
namespace {

constexpr std::uint64_t kCorruptBit = 2, kExternalDataBit = 4, kCompressionTypeBit = 8, kExtendedL2Bit = 16, kKnownBits = 31;
constexpr int kLongestChain = 16;
constexpr std::string_view kConvert = "`qemu-img convert -O raw` makes a raw image of it";

struct Closer {
  void operator()(libqcow_file_t* file) const { (void)libqcow_file_free(&file, nullptr); }
};
using FilePtr = std::unique_ptr<libqcow_file_t, Closer>;

// libqcow keeps a pointer to the parent: both are closed in order, the child first.
struct Chain {
  std::vector<FilePtr> files;  // the base first
  ~Chain() {
    while (!files.empty()) files.pop_back();
  }
  Chain() = default;
  Chain(Chain&&) = default;
  Chain(const Chain&) = delete;
};

Failure failure(Code code, std::string_view doing, const Path& path, libqcow_error_t*& error) {
  return library_failure(code, doing, path, error, libqcow_error_sprint, libqcow_error_free);
}

Result<void> check_features(const Path& path, const image::FileSource& file) {
  Bytes header(static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), 112)));
  if (header.size() < 72) return fail(Code::kCorrupt, path.string() + " ends within its qcow2 header");
  ICECORE_CHECK(file.read(0, header));
  const auto refuse = [&](std::string_view what) {
    return fail(Code::kUnsupported, fmt::format("{} {}, which is not read; {}", path.string(), what, kConvert));
  };
  if (load_be<std::uint32_t>(header, 32) != 0) return refuse("is an encrypted qcow2 image");
  if (load_be<std::uint32_t>(header, 4) < 3 || header.size() < 80) return {};
  const auto features = load_be<std::uint64_t>(header, 72);
  if ((features & kCorruptBit) != 0) return refuse("is a qcow2 image that QEMU has marked as corrupt");
  if ((features & kExternalDataBit) != 0) return refuse("is a qcow2 image whose data are in another file");
  if ((features & kCompressionTypeBit) != 0 && header.size() > 104 && header[104] != std::byte{0})
    return refuse("is a qcow2 image with zstd clusters");
  if ((features & kExtendedL2Bit) != 0) return refuse("is a qcow2 image with subclusters");
  if ((features & ~kKnownBits) != 0) return refuse("is a qcow2 image with features that are newer than this program");
  return {};
}

Result<std::string> backing_name(libqcow_file_t* file, const Path& path) {
  libqcow_error_t* error = nullptr;
  std::size_t size = 0;
  const int found = libqcow_file_get_utf8_backing_filename_size(file, &size, &error);
  if (found < 0) return failure(Code::kCorrupt, "read the backing file's name of", path, error);
  if (found == 0 || size <= 1) return std::string();
  std::string name(size, '\0');
  if (libqcow_file_get_utf8_backing_filename(file, reinterpret_cast<std::uint8_t*>(name.data()), size, &error) != 1)
    return failure(Code::kCorrupt, "read the backing file's name of", path, error);
  name.resize(size - 1);
  return name;
}

Result<void> open_chain(const Path& path, const image::FileSource& header, Chain& chain, int depth) {
  if (depth > kLongestChain) return fail(Code::kCorrupt, fmt::format("{} stands on more than {} backing files", path.string(), kLongestChain));
  ICECORE_CHECK(check_features(path, header));
  libqcow_error_t* error = nullptr;
  libqcow_file_t* raw = nullptr;
  if (libqcow_file_initialize(&raw, &error) != 1) return failure(Code::kInternal, "start libqcow for", path, error);
  FilePtr file(raw);
  if (libqcow_file_open(file.get(), path.c_str(), LIBQCOW_OPEN_READ, &error) != 1)
    return failure(Code::kCorrupt, "open the qcow2 image", path, error);
  ICECORE_ASSIGN(const std::string name, backing_name(file.get(), path));
  if (!name.empty()) {
    ICECORE_ASSIGN(const Path below, beside(path, name));
    ICECORE_ASSIGN(const auto source, image::FileSource::open(below));
    Bytes magic(4);
    if (!source->read(0, magic) || as_text(magic) != "QFI\xfb")
      return fail(Code::kUnsupported,
                  fmt::format("{} stands on {}, which is no qcow2 image: that is not read; {}", path.string(), below.string(), kConvert));
    ICECORE_CHECK(open_chain(below, *source, chain, depth + 1));
    if (libqcow_file_set_parent_file(file.get(), chain.files.back().get(), &error) != 1)
      return failure(Code::kCorrupt, "put the backing file below", path, error);
  }
  chain.files.push_back(std::move(file));
  return {};
}

}  // namespace

Result<Container> open_qcow2(const Path& path, const image::FileSource& file) {
  auto chain = std::make_shared<Chain>();
  ICECORE_CHECK(open_chain(path, file, *chain, 0));
  libqcow_error_t* error = nullptr;
  size64_t size = 0;
  if (libqcow_file_get_media_size(chain->files.back().get(), &size, &error) != 1) return failure(Code::kCorrupt, "find the size of", path, error);
  ICECORE_ASSIGN(const std::uint64_t checked, checked_size(size, path));
  auto read = [chain, path](std::uint64_t offset, std::span<std::byte> out) -> Result<std::size_t> {
    libqcow_error_t* problem = nullptr;
    const ssize_t count =
        libqcow_file_read_buffer_at_offset(chain->files.back().get(), out.data(), out.size(), static_cast<off64_t>(offset), &problem);
    if (count < 0) return failure(Code::kCorrupt, fmt::format("read byte {} of", offset), path, problem);
    return static_cast<std::size_t>(count);
  };
  return Container{std::make_shared<LibrarySource>(checked, path.string(), std::move(read)), "qcow2", {}, {}};
}

}  // namespace icecore::container
