// A hostile log: the checksums of its records are made right first, or nothing behind them would be reached.
#include <algorithm>
#include <array>

#include "core/hash.h"
#include "disk.h"
#include "fs/xfs/xfs.h"
#include "fs/xfs/xfs_log_format.h"

namespace {

using namespace icecore;
namespace log = fs::xfs::log;

void repair_checksum(fuzz::SparseDisk& disk, std::uint64_t offset) {
  Bytes head(512);
  disk.copy(offset, head);
  if (load_be<std::uint32_t>(head, 0) != log::kRecordMagic) return;
  const std::size_t size = std::min(load_be<std::uint32_t>(head, log::kSize), log::kMostRecordBytes);
  const std::size_t headers = size > log::kHeaderCovers ? (size + log::kHeaderCovers - 1) / log::kHeaderCovers : 1;
  const std::size_t length = load_be<std::uint32_t>(head, log::kLength);
  if (length > log::kMostRecordBytes) return;
  Bytes record(headers * 512 + length);
  disk.copy(offset, record);
  const ByteView view = record;
  const std::array<std::byte, 4> zeros{};
  std::uint32_t crc = crc32c(~0U, view.first(log::kCrc));
  crc = crc32c(crc, zeros);
  crc = crc32c(crc, view.subspan(log::kCrc + 4, log::kCrcHeader - log::kCrc - 4));
  for (std::size_t i = 1; i < headers; ++i) crc = crc32c(crc, view.subspan(i * 512, log::kCrcExtendedHeader));
  disk.cover(offset + log::kCrc, ~crc32c(crc, view.subspan(headers * 512, length)));
}

void repair_checksums(fuzz::SparseDisk& disk) {
  constexpr std::size_t kMostRecords = 256;
  const fuzz::NotCounted own;
  std::vector<std::uint64_t> sectors;
  for (const auto& piece : disk.pieces())
    for (std::size_t at = (512 - piece.offset % 512) % 512; at + 4 <= piece.bytes.size() && sectors.size() < kMostRecords; at += 512)
      if (load_be<std::uint32_t>(piece.bytes, at) == log::kRecordMagic) sectors.push_back(piece.offset + at);
  for (const std::uint64_t sector : sectors) repair_checksum(disk, sector);
}

}  // namespace

// What replay keeps of a logged chunk of 128 bytes: the region, and a sector of 512 with its place in the overlay.
const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const auto source = fuzz::disk_of_pieces(fuzz::view_of(data, size));
  repair_checksums(*source);
  Anomalies anomalies;
  const auto filesystem = fs::xfs::open(source, {}, anomalies);
  if (filesystem) (void)(*filesystem)->sweep({}, anomalies, no_progress()).has_value();
}
