#include "fs/tsk/apfs_record.h"

#include <algorithm>

namespace icecore::fs::tsk {
namespace {

// j_obj_types
enum : unsigned { kInode = 3, kAttribute = 4, kExtent = 8, kDirectoryEntry = 9 };
constexpr std::size_t kInodeSize = 92, kStreamSize = 40;

// Extended fields: a table, then the fields, each padded to eight bytes (xf_blob_t). Name and stream are what libtsk looks at.
bool fields_fit(ByteView value) {
  if (value.size() == kInodeSize) return true;
  if (value.size() < kInodeSize + 4) return false;
  const std::size_t count = load_le<std::uint16_t>(value, kInodeSize);
  std::size_t at = kInodeSize + 4 + 4 * count;
  for (std::size_t i = 0; i < count; ++i) {
    if (at > value.size()) return false;
    const std::size_t entry = kInodeSize + 4 + 4 * i;
    const ByteView rest = value.subspan(at);
    const auto type = std::to_integer<unsigned>(value[entry]);
    if (type == 4 && std::ranges::find(rest, std::byte{0}) == rest.end()) return false;
    if (type == 8 && rest.size() < kStreamSize) return false;
    at += (load_le<std::uint16_t>(value, entry + 2) + 7U) & ~std::size_t{7};
  }
  return true;
}

bool attribute_fits(ByteView key, ByteView value, std::uint64_t limit) {
  if (key.size() < 10 || value.size() < 4) return false;
  const std::size_t name = load_le<std::uint16_t>(key, 8);
  if (name == 0 || 10 + name > key.size()) return false;
  if ((load_le<std::uint16_t>(value, 0) & 2) != 0) return 4U + load_le<std::uint16_t>(value, 2) <= value.size();
  return value.size() >= 12 + kStreamSize && load_le<std::uint64_t>(value, 12) <= limit;
}

}  // namespace

Result<void> check_apfs_record(ByteView key, ByteView value, std::uint64_t limit, const Location& where) {
  const auto id_and_type = load_le<std::uint64_t>(key, 0);
  bool fits = true;
  switch (id_and_type >> 60) {
    case kInode: fits = value.size() >= kInodeSize && fields_fit(value); break;
    case kAttribute: fits = attribute_fits(key, value, limit); break;
    case kExtent: fits = key.size() >= 16 && value.size() >= 24; break;
    case kDirectoryEntry: {
      if (key.size() < 13 || value.size() < 18) return fail(Code::kCorrupt, "APFS: a directory entry that is too short", where);
      const std::size_t name = load_le<std::uint32_t>(key, 8) & 0x3FF;  // libtsk looks at eight of the ten bits
      fits = name != 0 && 12 + name <= key.size();
      if (fits && name > 255) return fail(Code::kUnsupported, "an APFS volume with a name of more than 254 bytes, which libtsk cannot read", where);
      break;
    }
    default: break;
  }
  if (!fits) return fail(Code::kCorrupt, "APFS: a record's length leads out of it", where);
  return {};
}

}  // namespace icecore::fs::tsk
