#include "volume/lvm_disk.h"

#include <fmt/format.h>
#include <zlib.h>
#include <algorithm>

#include "volume/lvm_text.h"

namespace icecore::volume {
namespace {

constexpr std::size_t kSector = 512;
constexpr std::string_view kAreaMagic = " LVM2 x[5A%r0N*>";  // with a space before it: FMTT_MAGIC
constexpr std::uint64_t kMaximumText = std::uint64_t{16} << 20;

// CRC-32 that begins with LVM's own value and is not inverted (lib/misc/crc.c).
std::uint32_t lvm_crc(ByteView bytes) {
  constexpr std::uint32_t kInitial = 0xf597a6cf;
  return ~static_cast<std::uint32_t>(::crc32(~kInitial, reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<unsigned>(bytes.size())));
}

struct Area {
  std::uint64_t offset = 0, size = 0;
};

Result<std::vector<Area>> metadata_areas(ByteView header) {
  std::vector<Area> areas;
  int lists = 0;  // first the data areas, then the metadata areas; each list ends with a pair of zeros
  for (std::size_t at = 40; at + 16 <= header.size() && lists < 2; at += 16) {
    const Area area{load_le<std::uint64_t>(header, at), load_le<std::uint64_t>(header, at + 8)};
    if (area.offset == 0) {
      ++lists;
    } else if (lists == 1) {
      areas.push_back(area);
    }
  }
  if (lists < 2) return fail(Code::kCorrupt, "the list of areas has no end");
  return areas;
}

Result<std::string> read_text(const image::BlockSource& source, const Area& area, ByteView header) {
  const auto start = load_le<std::uint64_t>(header, 24), size = load_le<std::uint64_t>(header, 32);
  const auto offset = load_le<std::uint64_t>(header, 40), length = load_le<std::uint64_t>(header, 48);
  if (start != area.offset || size <= kSector || size > source.size() || start > source.size() - size)
    return fail(Code::kCorrupt, "the metadata area lies outside the volume");
  if (offset == 0) return std::string();  // no volume group yet
  if (offset < kSector || offset >= size || length > size - kSector || length > kMaximumText)
    return fail(Code::kCorrupt, fmt::format("metadata of {} bytes at {} does not fit its area", length, offset));
  // The area is a ring behind its header.
  std::string text(static_cast<std::size_t>(length), '\0');
  const auto bytes = std::as_writable_bytes(std::span(text));
  const auto first = static_cast<std::size_t>(std::min(length, size - offset));
  ICECORE_CHECK(source.read(start + offset, bytes.first(first)));
  if (first < bytes.size()) ICECORE_CHECK(source.read(start + kSector, bytes.subspan(first)));
  if (lvm_crc(bytes) != load_le<std::uint32_t>(header, 56)) return fail(Code::kCorrupt, "the metadata's checksum is wrong");
  return text;
}

Result<Json> read_area(const image::BlockSource& source, const Area& area) {
  Bytes header(kSector);
  ICECORE_CHECK(source.read(area.offset, header));
  const ByteView view(header);
  if (as_text(view.subspan(4, 16)) != kAreaMagic) return fail(Code::kCorrupt, "a metadata area has no header");
  if (lvm_crc(view.subspan(4)) != load_le<std::uint32_t>(view, 0)) return fail(Code::kCorrupt, "the checksum of a metadata area's header is wrong");
  ICECORE_ASSIGN(const std::string text, read_text(source, area, view));
  return parse_lvm_text(text);
}

// The group is the one section of the text.
std::optional<Json> group_in(const Json& text) {
  for (const auto& [name, section] : text.items()) {
    if (!section.is_object()) continue;
    Json group = section;
    group["name"] = name;
    return group;
  }
  return std::nullopt;
}

std::int64_t sequence_of(const Json& group) {
  const Json& number = json_at(group, {"seqno"});
  return number.is_number_integer() ? number.get<std::int64_t>() : 0;
}

}  // namespace

std::string lvm_uuid_plain(std::string_view uuid) {
  std::string plain;
  std::ranges::copy_if(uuid, std::back_inserter(plain), [](char c) { return c != '-'; });
  return plain;
}

std::string lvm_uuid_text(std::string_view uuid) {
  std::string text;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 6 || i == 10 || i == 14 || i == 18 || i == 22 || i == 26) text += '-';
    text += uuid[i];
  }
  return text;
}

Result<PhysicalVolume> read_physical_volume(image::SourcePtr source) {
  Bytes sectors(4 * kSector);
  ICECORE_CHECK(source->read(0, sectors));
  const Location where{source->name(), 0};
  for (std::size_t i = 0; i < 4; ++i) {
    const ByteView label = ByteView(sectors).subspan(i * kSector, kSector);
    if (as_text(label.first(8)) != "LABELONE" || as_text(label.subspan(24, 8)) != "LVM2 001") continue;
    const auto header_at = load_le<std::uint32_t>(label, 20);
    if (lvm_crc(label.subspan(20)) != load_le<std::uint32_t>(label, 16)) return fail(Code::kCorrupt, "the checksum of LVM2's label is wrong", where);
    if (load_le<std::uint64_t>(label, 8) != i || header_at < 32 || header_at > kSector - 56)
      return fail(Code::kCorrupt, "LVM2's label names another place as its own", where);
    const ByteView header = label.subspan(header_at);
    PhysicalVolume volume{std::move(source), std::string(as_text(header.first(32))), std::nullopt, std::nullopt};
    ICECORE_ASSIGN(const auto areas, metadata_areas(header));
    for (const Area& area : areas) {
      auto text = read_area(*volume.source, area);
      if (!text && text.error().code != Code::kCorrupt) return Failure(std::move(text).error());
      if (!text) {
        volume.error = std::move(text).error();
        volume.error->where = Location{volume.source->name(), area.offset};
        continue;
      }
      auto group = group_in(*text);
      if (group && (!volume.group || sequence_of(*group) > sequence_of(*volume.group))) volume.group = std::move(group);
    }
    return volume;
  }
  return fail(Code::kCorrupt, "no LVM2 label", where);
}

}  // namespace icecore::volume
