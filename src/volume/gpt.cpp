// The GUID partition table, UEFI 2.10 chapter 5.3, with its checks as the kernel makes them (block/partitions/efi.c).
#include <fmt/format.h>
#include <zlib.h>
#include <algorithm>

#include "volume/partition_table.h"
#include "volume/partition_types.h"

namespace icecore::volume {
namespace {

constexpr std::uint64_t kMaximumArray = std::uint64_t{1} << 20;  // sgdisk's default is 16 KiB

struct Copy {
  std::uint32_t sector_size = 0;
  std::uint64_t alternate = 0;
  std::string disk_id;
  std::uint32_t entry_size = 0;
  Bytes array;
};

std::uint32_t crc32_of(ByteView bytes) {
  return static_cast<std::uint32_t>(::crc32(0, reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<unsigned>(bytes.size())));
}

std::string guid_text(ByteView bytes) {
  std::string text =
      fmt::format("{:08X}-{:04X}-{:04X}-", load_le<std::uint32_t>(bytes, 0), load_le<std::uint16_t>(bytes, 4), load_le<std::uint16_t>(bytes, 6));
  for (std::size_t i = 8; i < 16; ++i) text += fmt::format("{}{:02X}", i == 10 ? "-" : "", std::to_integer<unsigned>(bytes[i]));
  return text;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::string utf8_of_utf16(ByteView bytes) {
  std::string text;
  for (std::size_t at = 0; at + 2 <= bytes.size(); at += 2) {
    std::uint32_t unit = load_le<std::uint16_t>(bytes, at);
    if (unit == 0) break;
    if (unit >= 0xD800 && unit < 0xE000) {
      const std::uint32_t low = at + 4 <= bytes.size() ? load_le<std::uint16_t>(bytes, at + 2) : 0U;
      const bool pair = unit < 0xDC00 && low >= 0xDC00 && low < 0xE000;
      unit = pair ? 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00) : 0xFFFD;
      if (pair) at += 2;
    }
    append_utf8(text, unit);
  }
  return text;
}

// One copy, checked: header CRC, its own place, array CRC. kNotFound where there is not even the signature.
Result<Copy> read_copy(const image::BlockSource& disk, std::uint64_t lba, std::uint32_t sector_size) {
  const std::uint64_t sectors = disk.size() / sector_size;
  const Location where{disk.name(), lba < sectors ? std::optional(lba * sector_size) : std::nullopt};
  if (lba >= sectors)
    return fail(Code::kNotFound,
                fmt::format("its header should be at sector {}, beyond the end of the disk ({} sectors): is the image truncated?", lba, sectors),
                where);
  Bytes header(sector_size);
  ICECORE_CHECK(disk.read(lba * sector_size, header));
  const ByteView view(header);
  if (as_text(view.first(8)) != "EFI PART") return fail(Code::kNotFound, "no GPT header (\"EFI PART\") here", where);
  const auto header_size = load_le<std::uint32_t>(view, 12);
  if (header_size < 92 || header_size > sector_size) return fail(Code::kCorrupt, fmt::format("GPT header of {} bytes", header_size), where);
  const auto header_crc = load_le<std::uint32_t>(view, 16);
  std::ranges::fill(std::span(header).subspan(16, 4), std::byte{0});
  if (crc32_of(view.first(header_size)) != header_crc) return fail(Code::kCorrupt, "GPT header checksum is wrong", where);
  if (load_le<std::uint64_t>(view, 24) != lba) return fail(Code::kCorrupt, "GPT header names another sector as its own", where);
  Copy copy;
  copy.sector_size = sector_size;
  copy.alternate = load_le<std::uint64_t>(view, 32);
  copy.disk_id = lower(guid_text(view.subspan(56, 16)));
  const auto array_lba = load_le<std::uint64_t>(view, 72);
  const auto count = load_le<std::uint32_t>(view, 80);
  copy.entry_size = load_le<std::uint32_t>(view, 84);
  if (copy.entry_size < 128 || copy.entry_size % 8 != 0 || copy.entry_size > 4096)
    return fail(Code::kCorrupt, fmt::format("GPT entries of {} bytes", copy.entry_size), where);
  const std::uint64_t length = std::uint64_t{count} * copy.entry_size;
  if (length > kMaximumArray || array_lba >= sectors || length > disk.size() - array_lba * sector_size)
    return fail(Code::kCorrupt, fmt::format("GPT entry array of {} entries at sector {} does not fit", count, array_lba), where);
  copy.array.resize(static_cast<std::size_t>(length));
  ICECORE_CHECK(disk.read(array_lba * sector_size, copy.array));
  if (crc32_of(copy.array) != load_le<std::uint32_t>(view, 88)) return fail(Code::kCorrupt, "GPT entry array checksum is wrong", where);
  return copy;
}

PartitionTable make_table(const Copy& copy) {
  PartitionTable table;
  table.sector_size = copy.sector_size;
  table.disk_id = copy.disk_id;
  const ByteView array(copy.array);
  for (std::size_t i = 0; (i + 1) * copy.entry_size <= array.size(); ++i) {
    const ByteView entry = array.subspan(i * copy.entry_size, copy.entry_size);
    if (is_all_zero(entry.first(16))) continue;
    PartitionEntry out;
    out.number = static_cast<std::uint32_t>(i + 1);
    out.type = guid_text(entry.first(16));
    out.type_name = gpt_type_name(out.type);
    out.uuid = lower(guid_text(entry.subspan(16, 16)));
    out.first_sector = load_le<std::uint64_t>(entry, 32);
    const auto last = load_le<std::uint64_t>(entry, 40);
    out.sectors = last >= out.first_sector && last != UINT64_MAX ? last - out.first_sector + 1 : 0;
    out.name = utf8_of_utf16(entry.subspan(56, 72));
    table.entries.push_back(std::move(out));
  }
  return table;
}

void report(Anomalies& anomalies, std::string_view which, const Error& error, std::string_view then) {
  anomalies.add(fmt::format("volume.gpt-{}", which),
                Error{Code::kCorrupt, fmt::format("the {} GPT is damaged ({}); {}", which, error.message, then), error.where, nullptr});
}

}  // namespace

Result<std::optional<PartitionTable>> read_gpt(const image::BlockSource& disk, Anomalies& anomalies) {
  std::optional<Error> primary_error;
  for (const std::uint32_t sector_size : {512U, 4096U}) {
    auto primary = read_copy(disk, 1, sector_size);
    if (primary) {
      const auto backup = read_copy(disk, primary->alternate, sector_size);
      if (!backup) {
        if (backup.error().code != Code::kNotFound && backup.error().code != Code::kCorrupt) return Failure(backup.error());
        report(anomalies, "backup", backup.error(), "the primary was used");
      } else if (backup->array != primary->array) {
        anomalies.add("volume.gpt-backup", Error{Code::kCorrupt, "the two copies of the GPT differ; the primary was used",
                                                 Location{disk.name(), primary->alternate * sector_size}, nullptr});
      }
      return std::optional(make_table(*primary));
    }
    if (primary.error().code == Code::kCorrupt) primary_error = primary.error();
    if (primary.error().code != Code::kCorrupt && primary.error().code != Code::kNotFound) return Failure(primary.error());
    if (!primary_error) primary_error = primary.error();
  }
  for (const std::uint32_t sector_size : {512U, 4096U}) {
    if (disk.size() < 2 * std::uint64_t{sector_size}) break;
    const auto backup = read_copy(disk, disk.size() / sector_size - 1, sector_size);
    if (!backup) continue;
    report(anomalies, "primary", *primary_error, "its backup at the end of the disk was used");
    return std::optional(make_table(*backup));
  }
  if (primary_error && primary_error->code == Code::kCorrupt) return Failure(*primary_error);
  return std::optional<PartitionTable>{};
}

}  // namespace icecore::volume
