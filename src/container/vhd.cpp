// VHD and VHDX through libvhdi.
#include <libvhdi.h>

#include <fmt/format.h>

#include "container/formats.h"

namespace icecore::container {
namespace {

struct Closer {
  void operator()(libvhdi_file_t* file) const { (void)libvhdi_file_free(&file, nullptr); }
};

Failure failure(Code code, std::string_view doing, const Path& path, libvhdi_error_t*& error) {
  return library_failure(code, doing, path, error, libvhdi_error_sprint, libvhdi_error_free);
}

}  // namespace

Result<Container> open_vhd(const Path& path) {
  libvhdi_error_t* error = nullptr;
  libvhdi_file_t* raw = nullptr;
  if (libvhdi_file_initialize(&raw, &error) != 1) return failure(Code::kInternal, "start libvhdi for", path, error);
  const std::shared_ptr<libvhdi_file_t> file(raw, Closer());
  if (libvhdi_file_open(raw, path.c_str(), LIBVHDI_OPEN_READ, &error) != 1) return failure(Code::kCorrupt, "open the VHD image", path, error);
  std::uint32_t kind = 0;
  if (libvhdi_file_get_disk_type(raw, &kind, &error) != 1) return failure(Code::kCorrupt, "read the type of", path, error);
  if (kind == LIBVHDI_DISK_TYPE_DIFFERENTIAL)
    return fail(Code::kUnsupported,
                path.string() + " is a VHD that holds only the differences to another; `qemu-img convert -O raw` makes a raw image of both");
  size64_t size = 0;
  if (libvhdi_file_get_media_size(raw, &size, &error) != 1) return failure(Code::kCorrupt, "find the size of", path, error);
  ICECORE_ASSIGN(const std::uint64_t checked, checked_size(size, path));
  int type = 0;
  const bool is_vhdx = libvhdi_file_get_file_type(raw, &type, nullptr) == 1 && type == LIBVHDI_FILE_TYPE_VHDX;
  auto read = [file, path](std::uint64_t offset, std::span<std::byte> out) -> Result<std::size_t> {
    libvhdi_error_t* problem = nullptr;
    const ssize_t count = libvhdi_file_read_buffer_at_offset(file.get(), out.data(), out.size(), static_cast<off64_t>(offset), &problem);
    if (count < 0) return failure(Code::kCorrupt, fmt::format("read byte {} of", offset), path, problem);
    return static_cast<std::size_t>(count);
  };
  return Container{std::make_shared<LibrarySource>(checked, path.string(), std::move(read)), is_vhdx ? "VHDX" : "VHD", {}, {}};
}

}  // namespace icecore::container
