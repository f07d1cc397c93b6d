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

void repair_checksum(std::span<std::byte> record) {
  const ByteView view = record;
  const std::size_t size = std::min(load_be<std::uint32_t>(view, log::kSize), log::kMostRecordBytes);
  const std::size_t headers = size > log::kHeaderCovers ? (size + log::kHeaderCovers - 1) / log::kHeaderCovers : 1;
  const std::size_t length = load_be<std::uint32_t>(view, log::kLength);
  if (length > log::kMostRecordBytes || headers * 512 + length > view.size()) return;
  const std::array<std::byte, 4> zeros{};
  std::uint32_t crc = crc32c(~0U, view.first(log::kCrc));
  crc = crc32c(crc, zeros);
  crc = crc32c(crc, view.subspan(log::kCrc + 4, log::kCrcHeader - log::kCrc - 4));
  for (std::size_t i = 1; i < headers; ++i) crc = crc32c(crc, view.subspan(i * 512, log::kCrcExtendedHeader));
  crc = ~crc32c(crc, view.subspan(headers * 512, length));
  for (std::size_t i = 0; i < 4; ++i) record[log::kCrc + i] = static_cast<std::byte>(crc >> (8 * i));
}

}  // namespace

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const auto source = fuzz::disk_of_pieces(fuzz::view_of(data, size));
  const auto disk = source->bytes();
  for (std::size_t at = 0; at + 512 <= disk.size(); at += 512)
    if (load_be<std::uint32_t>(disk, at) == log::kRecordMagic) repair_checksum(disk.subspan(at));
  Anomalies anomalies;
  const auto filesystem = fs::xfs::open(source, {}, anomalies);
  if (filesystem) (void)(*filesystem)->sweep({}, anomalies, no_progress()).has_value();
}
