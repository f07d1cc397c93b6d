// Operations of log records put together into transactions, and these into items.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "fs/xfs/log_device.h"

namespace icecore::fs::xfs {

/// Regions of one log item; the first says what it is. Items that are not complete are not given out.
struct LogItem {
  std::vector<Bytes> regions;
  std::size_t expected = 0;

  std::uint16_t type() const { return regions.front().size() >= 4 ? load_le<std::uint16_t>(regions.front(), 0) : std::uint16_t{0}; }
};

struct Transaction {
  std::uint64_t lsn = 0;  ///< of the record in which it began
  std::vector<LogItem> items;
};

/// Takes records in order and gives out transactions as they commit. Memory: what is not committed yet, at most kMostBytes.
class TransactionReader {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{128} << 20;
  using Sink = std::function<Result<void>(Transaction&&)>;

  explicit TransactionReader(Sink sink) : sink_(std::move(sink)) {}

  /// One record's operations. kCorrupt where they do not parse; what was given out stays good.
  Result<void> add(const LogRecord& record, ByteView data, const Location& where);

 private:
  struct Open {
    Transaction transaction;
    std::size_t header = 0;  // bytes of the transaction's header seen
    std::size_t bytes = 0;
  };
  Result<void> operation(std::uint32_t id, std::uint8_t flags, ByteView data, std::uint64_t lsn, const Location& where);
  Result<void> new_region(Open& open, ByteView data, const Location& where);
  Result<void> continue_region(Open& open, ByteView data, const Location& where);
  Result<void> account(Open& open, std::size_t bytes, const Location& where);

  Sink sink_;
  std::unordered_map<std::uint32_t, Open> open_;
  std::size_t held_ = 0;
};

}  // namespace icecore::fs::xfs
