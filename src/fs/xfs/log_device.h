// The log as a ring of basic blocks, and its records.
#pragma once

#include <cstdint>
#include <optional>

#include "fs/xfs/reader.h"

namespace icecore::fs::xfs {

/// What a record's header says, checked against its place.
struct LogRecord {
  std::uint32_t block = 0;  ///< of the header
  std::uint32_t header_blocks = 1;
  std::uint32_t data_blocks = 0;
  std::uint32_t length = 0;  ///< bytes of data
  std::uint32_t operations = 0;
  std::uint64_t lsn = 0, tail_lsn = 0;
  std::uint32_t blocks() const { return header_blocks + data_blocks; }
};

inline std::uint32_t lsn_block(std::uint64_t lsn) { return static_cast<std::uint32_t>(lsn); }
inline std::uint32_t lsn_cycle(std::uint64_t lsn) { return static_cast<std::uint32_t>(lsn >> 32); }

/// The internal log of a filesystem. Thread-safe.
class LogDevice {
 public:
  /// kUnsupported where the log is on another device; kCorrupt where it does not fit the filesystem.
  static Result<LogDevice> open(const Reader& reader);

  std::uint32_t blocks() const { return blocks_; }
  std::uint64_t offset(std::uint32_t block) const { return start_ + std::uint64_t{block} * kBasicBlock; }
  Location at(std::uint32_t block) const { return reader_.at(offset(block)); }

  /// Blocks from `block` on, around the end of the ring. Precondition: count <= blocks().
  Result<Bytes> read(std::uint32_t block, std::uint32_t count) const;
  Result<void> prefetch(std::uint32_t block, std::uint32_t count) const;
  /// The cycle number that a block was written with.
  Result<std::uint32_t> cycle(std::uint32_t block) const;
  static std::uint32_t cycle_of(ByteView block);
  std::uint32_t distance(std::uint32_t from, std::uint32_t to) const { return to >= from ? to - from : blocks_ - from + to; }
  std::uint32_t add(std::uint32_t block, std::uint32_t count) const { return static_cast<std::uint32_t>((std::uint64_t{block} + count) % blocks_); }

  /// The record whose header is at `block`; kCorrupt where it is none, kUnsupported where it is of another byte order.
  Result<LogRecord> record(std::uint32_t block) const;
  static bool is_record(ByteView block);

  /// A record's data with its first words put back; nullopt where its checksum is wrong.
  Result<std::optional<Bytes>> data(const LogRecord& record) const;

 private:
  LogDevice(Reader reader, std::uint64_t start, std::uint32_t blocks) : reader_(std::move(reader)), start_(start), blocks_(blocks) {}
  bool checksum_ok(ByteView headers, ByteView body) const;

  Reader reader_;
  std::uint64_t start_;  // byte
  std::uint32_t blocks_;
};

}  // namespace icecore::fs::xfs
