#include "image/open_image.h"

#include <fmt/format.h>
#include <array>
#include <cctype>

#include "image/file_source.h"

namespace icecore::image {
namespace {

using namespace std::string_view_literals;

struct Format {
  std::uint64_t offset;  // of the magic; from the end where `from_end`
  bool from_end;
  std::string_view magic;
  std::string_view name;
  std::string_view remedy;
};

constexpr std::string_view kConvert = "`qemu-img convert -O raw` makes a raw image of it";
constexpr std::string_view kEwf = "`ewfexport -f raw` makes a raw image of it";
constexpr std::string_view kUnpack = "unpack it first";

// QEMU docs/interop/qcow2.txt; libewf's EWF and EWF2 specifications; VMware Virtual Disk Format 5.0; Microsoft's VHD and VHDX specifications;
// VirtualBox VDICore.h; AFFLIB; RFC 1952; the xz and zstd format specifications; bzip2.
constexpr std::array kFormats = {
    Format{0, false, "QFI\xfb"sv, "qcow2", kConvert},
    Format{0, false, "EVF\x09\x0d\x0a\xff\x00"sv, "E01 (EWF)", kEwf},
    Format{0, false, "LVF\x09\x0d\x0a\xff\x00"sv, "L01 (EWF)", kEwf},
    Format{0, false, "EVF2\x0d\x0a\x81\x00"sv, "Ex01 (EWF2)", kEwf},
    Format{0, false, "LEF2\x0d\x0a\x81\x00"sv, "Lx01 (EWF2)", kEwf},
    Format{0, false, "KDMV"sv, "VMDK", kConvert},
    Format{0, false, "COWD"sv, "VMDK (COWD)", kConvert},
    Format{0, false, "# Disk DescriptorFile"sv, "VMDK descriptor", kConvert},
    Format{0, false, "vhdxfile"sv, "VHDX", kConvert},
    Format{0, false, "conectix"sv, "VHD (dynamic)", kConvert},
    Format{512, true, "conectix"sv, "VHD", kConvert},
    Format{0x40, false, "\x7f\x10\xda\xbe"sv, "VDI", kConvert},
    Format{0, false, "AFF10\x0d\x0a\x00"sv, "AFF", "`affconvert -r` makes a raw image of it"},
    Format{0, false, "\x1f\x8b\x08"sv, "gzip", kUnpack},
    Format{0, false, "\xfd\x37zXZ\x00"sv, "xz", kUnpack},
    Format{0, false, "\x28\xb5\x2f\xfd"sv, "zstd", kUnpack},
    Format{0, false, "BZh"sv, "bzip2", kUnpack},
    Format{0, false, "PK\x03\x04"sv, "zip", kUnpack},
};

bool matches(const BlockSource& source, const Format& format) {
  if (source.size() < format.offset + format.magic.size()) return false;
  std::array<std::byte, 32> bytes{};
  const std::span<std::byte> head = std::span(bytes).first(format.magic.size());
  const std::uint64_t offset = format.from_end ? source.size() - format.offset : format.offset;
  return source.read(offset, head).has_value() && as_text(head) == format.magic;
}

// image.001 with image.002 beside it, or image.aa with image.ab (split(1)).
bool is_first_of_split(const Path& path) {
  const std::string extension = path.extension().string();
  std::string second = extension;
  if (extension == ".000") second = ".001";
  if (extension == ".001") second = ".002";
  if (extension == ".aa") second = ".ab";
  if (second == extension) return false;
  std::error_code ignored;
  return std::filesystem::exists(Path(path).replace_extension(second), ignored);
}

}  // namespace

Result<SourcePtr> open_image(const Path& path) {
  ICECORE_ASSIGN(const std::shared_ptr<const FileSource> source, FileSource::open(path));
  for (const Format& format : kFormats)
    if (matches(*source, format))
      return fail(Code::kUnsupported,
                  fmt::format("{} is a {} image, which this version does not read; {}", path.string(), format.name, format.remedy));
  if (is_first_of_split(path))
    return fail(Code::kUnsupported,
                fmt::format("{} is the first part of a split image, which this version does not read; `cat` its parts into one file", path.string()));
  return SourcePtr(source);
}

}  // namespace icecore::image
