#include "fs/xfs/log_device.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "core/hash.h"
#include "fs/xfs/xfs_log_format.h"

namespace icecore::fs::xfs {
namespace {

constexpr std::uint64_t kMostLogBytes = std::uint64_t{1} << 31;  // XFS_MAX_LOG_BYTES

std::uint32_t header_crc(ByteView headers, std::size_t header_size, ByteView body) {
  static constexpr std::array<std::byte, 4> kZeros{};
  std::uint32_t crc = crc32c(~0U, headers.first(log::kCrc));
  crc = crc32c(crc, kZeros);
  crc = crc32c(crc, headers.subspan(log::kCrc + 4, header_size - log::kCrc - 4));
  for (std::size_t at = kBasicBlock; at < headers.size(); at += kBasicBlock) crc = crc32c(crc, headers.subspan(at, log::kCrcExtendedHeader));
  return ~crc32c(crc, body);
}

}  // namespace

Result<LogDevice> LogDevice::open(const Reader& reader) {
  const Superblock& super = reader.super;
  if (super.log_start == 0) return fail(Code::kUnsupported, "the XFS log is on another device, which is not part of this source", reader.at(0));
  const std::uint64_t bytes = std::uint64_t{super.log_blocks} << super.block_log;
  if (super.log_blocks == 0 || bytes > kMostLogBytes || !super.contains_block(super.log_start, super.log_blocks))
    return fail(Code::kCorrupt, fmt::format("XFS log of {} blocks at {:#x} does not fit the filesystem", super.log_blocks, super.log_start),
                reader.at(0));
  return LogDevice(reader, super.block_offset(super.log_start), static_cast<std::uint32_t>(bytes / kBasicBlock));
}

Result<Bytes> LogDevice::read(std::uint32_t block, std::uint32_t count) const {
  Bytes out(std::size_t{count} * kBasicBlock);
  const std::uint32_t first = std::min(count, blocks_ - block);
  const auto all = std::span(out);
  ICECORE_CHECK(reader_.source->read(offset(block), all.first(std::size_t{first} * kBasicBlock)));
  if (first < count) ICECORE_CHECK(reader_.source->read(offset(0), all.subspan(std::size_t{first} * kBasicBlock)));
  return out;
}

Result<void> LogDevice::prefetch(std::uint32_t block, std::uint32_t count) const {
  const std::uint32_t first = std::min(count, blocks_ - block);
  const std::array<image::ByteRange, 2> ranges{image::ByteRange{offset(block), std::uint64_t{first} * kBasicBlock},
                                               image::ByteRange{offset(0), std::uint64_t{count - first} * kBasicBlock}};
  return reader_.source->prefetch(std::span(ranges).first(first < count ? 2 : 1));
}

std::uint32_t LogDevice::cycle_of(ByteView block) { return load_be<std::uint32_t>(block, is_record(block) ? log::kCycle : 0); }

bool LogDevice::is_record(ByteView block) { return load_be<std::uint32_t>(block, 0) == log::kRecordMagic; }

Result<std::uint32_t> LogDevice::cycle(std::uint32_t block) const {
  return read(block, 1).map([](const Bytes& bytes) { return cycle_of(bytes); });
}

Result<LogRecord> LogDevice::record(std::uint32_t block) const {
  ICECORE_ASSIGN(const Bytes header, read(block, 1));
  const auto corrupt = [&](std::string_view what) { return fail(Code::kCorrupt, fmt::format("log record at block {}: {}", block, what), at(block)); };
  if (!is_record(header)) return corrupt("no header");
  LogRecord record;
  record.block = block;
  record.length = load_be<std::uint32_t>(header, log::kLength);
  record.operations = load_be<std::uint32_t>(header, log::kOperations);
  record.lsn = load_be<std::uint64_t>(header, log::kLsn);
  record.tail_lsn = load_be<std::uint64_t>(header, log::kTailLsn);
  if (lsn_block(record.lsn) != block) return corrupt("it says that it belongs elsewhere");
  if (record.length > log::kMostRecordBytes) return corrupt("impossible length");
  if (load_be<std::uint32_t>(header, log::kFormat) != log::kFormatLittleEndian)
    return fail(Code::kUnsupported, "the log was written by a big-endian machine", at(block));
  if (!std::ranges::equal(ByteView(header).subspan(log::kUuid, kUuidSize), reader_.super.uuid)) return corrupt("it is of another filesystem");
  const auto size = load_be<std::uint32_t>(header, log::kSize);
  if ((load_be<std::uint32_t>(header, log::kVersion) & log::kVersion2) != 0 && size > log::kHeaderCovers) {
    if (size > log::kMostRecordBytes) return corrupt("impossible buffer size");
    record.header_blocks = (size + log::kHeaderCovers - 1) / log::kHeaderCovers;
  }
  record.data_blocks = (record.length + kBasicBlock - 1) / kBasicBlock;
  if (record.data_blocks > record.header_blocks * log::kCyclesPerHeader || record.blocks() > blocks_) return corrupt("longer than its buffer");
  return record;
}

bool LogDevice::checksum_ok(ByteView headers, ByteView body) const {
  const auto stored = load_le<std::uint32_t>(headers, log::kCrc);
  // Version 4 kernels before checksums left it zero.
  if (!reader_.super.crc && stored == 0) return true;
  return stored == header_crc(headers, log::kCrcHeader, body) || stored == header_crc(headers, log::kCrcHeaderOf32Bit, body);
}

Result<std::optional<Bytes>> LogDevice::data(const LogRecord& record) const {
  ICECORE_ASSIGN(const Bytes headers, read(record.block, record.header_blocks));
  ICECORE_ASSIGN(Bytes body, read(add(record.block, record.header_blocks), record.data_blocks));
  if (!checksum_ok(headers, ByteView(body).first(record.length))) return std::optional<Bytes>();
  // Each block's first word was replaced by the cycle number on writing; the words are in the headers (xlog_pack_data).
  for (std::size_t i = 0; i < record.data_blocks; ++i) {
    const std::size_t header = i / log::kCyclesPerHeader;
    const std::size_t base = header * kBasicBlock + (header == 0 ? log::kCycleData : log::kExtendedCycleData);
    std::ranges::copy(ByteView(headers).subspan(base + (i % log::kCyclesPerHeader) * 4, 4),
                      body.begin() + static_cast<std::ptrdiff_t>(i * kBasicBlock));
  }
  body.resize(record.length);
  return std::optional<Bytes>(std::move(body));
}

}  // namespace icecore::fs::xfs
