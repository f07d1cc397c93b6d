#include "fs/tsk/fat_entry.h"

#include <fmt/format.h>
#include <array>

#include "core/text.h"

namespace icecore::fs::tsk {
namespace {

// Date: year since 1980 (7 bits), month, day. Time: hour, minute, half seconds. `hundredths` adds 0 … 199.
std::optional<Timestamp> dos_time(std::uint16_t date, std::uint16_t time, std::uint8_t hundredths = 0) {
  if (date == 0) return std::nullopt;
  const unsigned month = std::max(1U, (date >> 5U) & 0xFU), day = std::max(1U, date & 0x1FU);
  Timestamp at = from_civil(1980 + (date >> 9U), std::min(month, 12U), day, time >> 11U, (time >> 5U) & 0x3FU, 0);
  at.seconds += (time & 0x1F) * 2 + hundredths / 100;
  at.nanoseconds = static_cast<std::uint32_t>(hundredths % 100) * 10'000'000;
  return at;
}

// exFAT's offset: bit 7 says that there is one, the rest is signed, in quarters of an hour.
std::optional<Timestamp> exfat_time(std::uint32_t stamp, std::uint8_t hundredths, std::uint8_t zone) {
  auto at = dos_time(static_cast<std::uint16_t>(stamp >> 16), static_cast<std::uint16_t>(stamp), hundredths);
  if (!at || (zone & 0x80) == 0) return at;
  const int quarters = (zone & 0x40) != 0 ? static_cast<int>(zone & 0x7F) - 128 : zone & 0x7F;
  at->seconds -= quarters * 900;
  return at;
}

std::string serial_text(std::uint32_t serial) { return fmt::format("{:04X}-{:04X}", serial >> 16, serial & 0xFFFF); }

FatGeometry exfat_geometry(ByteView boot) {
  const unsigned shift = std::to_integer<unsigned>(boot[108]);
  FatGeometry geometry;
  geometry.exfat = true;
  geometry.data_offset = std::uint64_t{load_le<std::uint32_t>(boot, 88)} << std::min(shift, 12U);
  geometry.cluster_size = std::uint64_t{1} << std::min(shift + std::to_integer<unsigned>(boot[109]), 25U);
  geometry.clusters = load_le<std::uint32_t>(boot, 92);
  geometry.uuid = serial_text(load_le<std::uint32_t>(boot, 100));
  return geometry;
}

FatGeometry fat_geometry(ByteView boot) {
  const std::uint64_t sector = load_le<std::uint16_t>(boot, 11), reserved = load_le<std::uint16_t>(boot, 14);
  const std::uint64_t fats = std::to_integer<std::uint64_t>(boot[16]);
  const std::uint16_t small_fat = load_le<std::uint16_t>(boot, 22);
  const std::uint64_t fat_size = small_fat != 0 ? small_fat : load_le<std::uint32_t>(boot, 36);
  const std::size_t extension = small_fat != 0 ? 0x26 : 0x42;  // extended boot signature; serial and label follow
  FatGeometry geometry;
  geometry.data_offset = (reserved + fats * fat_size) * sector;
  geometry.cluster_size = sector * std::to_integer<std::uint64_t>(boot[13]);
  if (boot[extension] == std::byte{0x29} || boot[extension] == std::byte{0x28})
    geometry.uuid = serial_text(load_le<std::uint32_t>(boot, extension + 1));
  if (boot[extension] == std::byte{0x29}) geometry.label = std::string(trim(as_text(boot.subspan(extension + 5, 11))));
  if (geometry.label == "NO NAME") geometry.label.clear();
  return geometry;
}

}  // namespace

Result<FatGeometry> read_fat_geometry(const image::BlockSource& source, bool exfat) {
  std::array<std::byte, 512> boot{};
  ICECORE_CHECK(source.read(0, boot));
  FatGeometry geometry = exfat ? exfat_geometry(boot) : fat_geometry(boot);
  if (geometry.data_offset == 0 || geometry.data_offset >= source.size())
    return fail(Code::kCorrupt, fmt::format("the boot sector puts the data area at byte {}", geometry.data_offset), Location{source.name(), 0});
  if (exfat) geometry.clusters = std::min(geometry.clusters, (source.size() - geometry.data_offset) / geometry.cluster_size);
  return geometry;
}

Result<FatTimes> read_fat_times(const image::BlockSource& source, const FatGeometry& geometry, std::uint64_t inode) {
  std::array<std::byte, 32> bytes{};
  ICECORE_CHECK(source.read(geometry.entry_offset(inode), bytes));
  const ByteView entry(bytes);
  const auto byte = [&](std::size_t at) { return std::to_integer<std::uint8_t>(entry[at]); };
  if (geometry.exfat)
    return FatTimes{exfat_time(load_le<std::uint32_t>(entry, 8), byte(20), byte(22)),
                    exfat_time(load_le<std::uint32_t>(entry, 12), byte(21), byte(23)), exfat_time(load_le<std::uint32_t>(entry, 16), 0, byte(24))};
  return FatTimes{dos_time(load_le<std::uint16_t>(entry, 16), load_le<std::uint16_t>(entry, 14), byte(13)),
                  dos_time(load_le<std::uint16_t>(entry, 24), load_le<std::uint16_t>(entry, 22)), dos_time(load_le<std::uint16_t>(entry, 18), 0)};
}

}  // namespace icecore::fs::tsk
