#include "container/container.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <array>

#include "container/formats.h"
#include "core/text.h"
#include "image/open_image.h"

namespace icecore::container {
namespace {

using namespace std::string_view_literals;

bool has_magic(const image::FileSource& file, std::uint64_t offset, std::string_view magic) {
  std::array<std::byte, 32> bytes{};
  const auto head = std::span(bytes).first(magic.size());
  return offset + magic.size() <= file.size() && file.read(offset, head) && as_text(head) == magic;
}

bool is_block_device(const Path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISBLK(status.st_mode);
}

}  // namespace

// The magics' sources are named in image/open_image.cpp.
Result<Container> open_container(const Path& path) {
  ICECORE_ASSIGN(const auto file, image::FileSource::open(path));
  if (is_block_device(path)) return Container{file, "raw", {}, {}};
  if (has_magic(*file, 0, "QFI\xfb"sv)) return open_qcow2(path);
  if (has_magic(*file, 0, "EVF\x09\x0d\x0a\xff\x00"sv) || has_magic(*file, 0, "EVF2\x0d\x0a\x81\x00"sv)) return open_ewf(path);
  if (has_magic(*file, 0, "KDMV"sv) || has_magic(*file, 0, "COWD"sv) || has_magic(*file, 0, "# Disk DescriptorFile"sv)) return open_vmdk(path);
  if (has_magic(*file, 0, "vhdxfile"sv) || has_magic(*file, 0, "conectix"sv)) return open_vhd(path);
  if (file->size() > 512 && has_magic(*file, file->size() - 512, "conectix"sv)) return open_vhd(path);
  ICECORE_ASSIGN(const auto parts, split_parts(path));
  if (!parts.empty()) return open_split(parts);
  ICECORE_ASSIGN(auto raw, image::open_image(path));
  return Container{std::move(raw), "raw", {}, {}};
}

Result<void> LibrarySource::read(std::uint64_t offset, std::span<std::byte> out) const {
  ICECORE_CHECK(image::check_range(offset, out.size(), size_, name_));
  const std::scoped_lock one(mutex_);
  while (!out.empty()) {
    ICECORE_ASSIGN(const std::size_t count, read_(offset, out));
    if (count == 0 || count > out.size()) return fail(Code::kCorrupt, fmt::format("{} ends before its size says", name_), Location{name_, offset});
    offset += count;
    out = out.subspan(count);
  }
  return {};
}

Result<std::uint64_t> checked_size(std::uint64_t claimed, const Path& path) {
  if (claimed > 0 && claimed <= kLargestDisk) return claimed;
  return fail(Code::kCorrupt, fmt::format("{} says that its disk has {} bytes, which no disk has", path.string(), claimed));
}

Result<Path> beside(const Path& container, std::string_view name) {
  if (name.empty() || name == "." || name == ".." || name.find_first_of("/\\:") != std::string_view::npos)
    return fail(Code::kUnsupported,
                fmt::format("{} needs \"{}\"; only files in its own folder are read: put that file beside it under its bare name, or convert it: "
                            "qemu-img convert -O raw",
                            container.string(), printable(name)));
  return container.parent_path() / std::string(name);
}

// The libraries print a trace of calls; the innermost line, the last, is the reason.
std::string first_line(std::string_view text) {
  const auto lines = split_lines(text.substr(0, text.find('\0')));
  return lines.empty() ? "" : printable(trim(lines.back()));
}

}  // namespace icecore::container
