// VMDK through libvmdk: one sparse file, or a descriptor with extents beside it.
#include <libvmdk.h>

#include <fmt/format.h>

#include "container/formats.h"

namespace icecore::container {
namespace {

struct Closer {
  void operator()(libvmdk_handle_t* handle) const { (void)libvmdk_handle_free(&handle, nullptr); }
};

Failure failure(Code code, std::string_view doing, const Path& path, libvmdk_error_t*& error) {
  return library_failure(code, doing, path, error, libvmdk_error_sprint, libvmdk_error_free);
}

// A descriptor may name any file: only those beside it are opened.
Result<void> check_extents(libvmdk_handle_t* handle, const Path& path) {
  libvmdk_error_t* error = nullptr;
  int count = 0;
  if (libvmdk_handle_get_number_of_extents(handle, &count, &error) != 1) return failure(Code::kCorrupt, "read the extents of", path, error);
  for (int i = 0; i < count; ++i) {
    libvmdk_extent_descriptor_t* raw = nullptr;
    if (libvmdk_handle_get_extent_descriptor(handle, i, &raw, &error) != 1) return failure(Code::kCorrupt, "read the extents of", path, error);
    const std::unique_ptr<libvmdk_extent_descriptor_t, void (*)(libvmdk_extent_descriptor_t*)> extent(
        raw, [](libvmdk_extent_descriptor_t* one) { (void)libvmdk_extent_descriptor_free(&one, nullptr); });
    std::size_t size = 0;
    if (libvmdk_extent_descriptor_get_utf8_filename_size(raw, &size, nullptr) != 1 || size <= 1) continue;  // zeros have no file
    std::string name(size, '\0');
    if (libvmdk_extent_descriptor_get_utf8_filename(raw, reinterpret_cast<std::uint8_t*>(name.data()), size, &error) != 1)
      return failure(Code::kCorrupt, "read the extents of", path, error);
    name.resize(size - 1);
    ICECORE_CHECK(beside(path, name));
  }
  return {};
}

Result<void> refuse_parent(libvmdk_handle_t* handle, const Path& path) {
  std::uint32_t parent = 0;
  constexpr std::uint32_t kNone = 0xFFFFFFFF;
  if (libvmdk_handle_get_parent_content_identifier(handle, &parent, nullptr) == 1 && parent != kNone)
    return fail(Code::kUnsupported,
                path.string() + " is a VMDK that holds only the differences to another; `qemu-img convert -O raw` makes a raw image of both");
  return {};
}

}  // namespace

Result<Container> open_vmdk(const Path& path) {
  libvmdk_error_t* error = nullptr;
  libvmdk_handle_t* raw = nullptr;
  if (libvmdk_handle_initialize(&raw, &error) != 1) return failure(Code::kInternal, "start libvmdk for", path, error);
  const std::shared_ptr<libvmdk_handle_t> handle(raw, Closer());
  if (libvmdk_handle_open(raw, path.c_str(), LIBVMDK_OPEN_READ, &error) != 1) return failure(Code::kCorrupt, "open the VMDK image", path, error);
  ICECORE_CHECK(check_extents(raw, path));
  ICECORE_CHECK(refuse_parent(raw, path));
  if (libvmdk_handle_open_extent_data_files(raw, &error) != 1) return failure(Code::kCorrupt, "open the extents of", path, error);
  size64_t size = 0;
  if (libvmdk_handle_get_media_size(raw, &size, &error) != 1) return failure(Code::kCorrupt, "find the size of", path, error);
  ICECORE_ASSIGN(const std::uint64_t checked, checked_size(size, path));
  auto read = [handle, path](std::uint64_t offset, std::span<std::byte> out) -> Result<std::size_t> {
    libvmdk_error_t* problem = nullptr;
    const ssize_t count = libvmdk_handle_read_buffer_at_offset(handle.get(), out.data(), out.size(), static_cast<off64_t>(offset), &problem);
    if (count < 0) return failure(Code::kCorrupt, fmt::format("read byte {} of", offset), path, problem);
    return static_cast<std::size_t>(count);
  };
  return Container{std::make_shared<LibrarySource>(checked, path.string(), std::move(read)), "VMDK", {}, {}};
}

}  // namespace icecore::container
