#include "fs/tsk/iso_entry.h"

#include <tsk/fs/tsk_iso9660.h>
#include <algorithm>
#include <array>

namespace icecore::fs::tsk {
namespace {

constexpr std::size_t kMaximumRecords = 10'000'000;
constexpr std::uint64_t kSector = 2048;
constexpr int kMaximumContinuations = 32;  // a name and a link of 4 KiB fit in fewer

unsigned byte_at(ByteView bytes, std::size_t at) { return std::to_integer<unsigned>(bytes[at]); }

// Seven bytes: year since 1900, month, day, hour, minute, second, quarters of an hour east of UTC.
std::optional<Timestamp> short_time(ByteView bytes) {
  if (byte_at(bytes, 1) == 0 || byte_at(bytes, 1) > 12 || byte_at(bytes, 2) == 0) return std::nullopt;
  Timestamp at = from_civil(1900 + byte_at(bytes, 0), byte_at(bytes, 1), byte_at(bytes, 2), byte_at(bytes, 3), byte_at(bytes, 4), byte_at(bytes, 5));
  at.seconds -= static_cast<std::int8_t>(byte_at(bytes, 6)) * 900;
  return at;
}

struct Area {
  std::uint64_t offset = 0, length = 0;
};

class Reader {
 public:
  explicit Reader(IsoEntry& entry) : entry_(entry) {}

  /// One area of system use entries; gives the next where a CE entry names one.
  Area read(ByteView area) {
    Area next;
    for (std::size_t at = 0; at + 4 <= area.size();) {
      const std::size_t length = byte_at(area, at + 2);
      if (length < 4 || length > area.size() - at) break;
      const ByteView field = area.subspan(at, length);
      const std::string_view kind = as_text(field.first(2));
      if (kind == "ST") break;
      if (kind == "CE" && length >= 28)
        next = {load_le<std::uint32_t>(field, 4) * kSector + load_le<std::uint32_t>(field, 12), load_le<std::uint32_t>(field, 20)};
      if (kind == "TF" && length > 5) read_times(field);
      if (kind == "NM" && length > 5) entry_.name += as_text(field.subspan(5));
      if (kind == "SL" && length > 5) read_link(field.subspan(5));
      if (kind == "PX" && length >= 36)
        entry_.posix = IsoEntry::Posix{load_le<std::uint32_t>(field, 4), load_le<std::uint32_t>(field, 12), load_le<std::uint32_t>(field, 20),
                                       load_le<std::uint32_t>(field, 28)};
      at += length;
    }
    return next;
  }

 private:
  // For each flag from bit 0 (creation, modification, access, attributes) a time of 7 bytes; bit 7 means 17 bytes, which no tool writes.
  void read_times(ByteView field) {
    const unsigned flags = byte_at(field, 4);
    if ((flags & 0x80) != 0) return;
    std::size_t at = 5;
    std::optional<Timestamp>* const times[] = {&entry_.created, &entry_.modified, &entry_.accessed, &entry_.changed};
    for (unsigned bit = 0; bit < 4 && at + 7 <= field.size(); ++bit) {
      if ((flags & (1U << bit)) == 0) continue;
      if (auto time = short_time(field.subspan(at, 7))) *times[bit] = time;
      at += 7;
    }
  }

  // Components: flags (1 goes on in the next, 2 ".", 4 "..", 8 "/"), length, text.
  void read_link(ByteView components) {
    for (std::size_t at = 0; at + 2 <= components.size();) {
      const unsigned flags = byte_at(components, at);
      const std::size_t length = byte_at(components, at + 1);
      if (length > components.size() - at - 2) return;
      if (!entry_.link.empty() && entry_.link.back() != '/' && !goes_on_) entry_.link += '/';
      if ((flags & 2) != 0) entry_.link += '.';
      if ((flags & 4) != 0) entry_.link += "..";
      if ((flags & 8) != 0) entry_.link += '/';
      entry_.link += as_text(components.subspan(at + 2, length));
      goes_on_ = (flags & 1) != 0;
      at += 2 + length;
    }
  }

  IsoEntry& entry_;
  bool goes_on_ = false;
};

}  // namespace

IsoRecords iso_records(const TSK_FS_INFO& filesystem) {
  IsoRecords records;
  const auto& iso = reinterpret_cast<const ISO_INFO&>(filesystem);
  for (const iso9660_inode_node* node = iso.in_list; node != nullptr && records.size() < kMaximumRecords; node = node->next) {
    if (node->dentry_offset < 0 || node->inode.susp_off < 0 || node->inode.susp_len < 0) continue;
    // libtsk counts from the end of the name; a byte of padding makes the area begin at an even place (ECMA-119 9.1.12).
    const auto begin = static_cast<std::uint64_t>(node->inode.susp_off), padding = begin % 2;
    const auto length = static_cast<std::uint64_t>(node->inode.susp_len);
    records.emplace(node->inum, IsoRecord{static_cast<std::uint64_t>(node->dentry_offset), begin + padding,
                                          static_cast<std::uint32_t>(std::min<std::uint64_t>(length - std::min(length, padding), 255))});
  }
  return records;
}

Result<IsoEntry> read_iso_entry(const image::BlockSource& source, const IsoRecord& record) {
  std::array<std::byte, 33> bytes{};
  ICECORE_CHECK(source.read(record.offset, bytes));
  const auto time = short_time(ByteView(bytes).subspan(18, 7));
  IsoEntry entry;
  entry.modified = entry.accessed = entry.changed = time;
  Reader reader(entry);
  Area area{record.system_use_offset, record.system_use_length};
  for (int i = 0; i <= kMaximumContinuations && area.length != 0 && area.offset < source.size(); ++i) {
    Bytes content(static_cast<std::size_t>(std::min({area.length, kSector, source.size() - area.offset})));
    ICECORE_CHECK(source.read(area.offset, content));
    area = reader.read(content);
  }
  return entry;
}

}  // namespace icecore::fs::tsk
