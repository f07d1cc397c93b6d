#include "fs/xfs/log_transactions.h"

#include <fmt/format.h>
#include <algorithm>

#include "fs/xfs/xfs_log_format.h"

namespace icecore::fs::xfs {
namespace {

constexpr std::size_t kMostRegions = 16384;  // a buffer of 64 KiB in chunks of 128 bytes has 512; XLOG_MAX_REGIONS_IN_ITEM is generous too

}  // namespace

Result<void> TransactionReader::add(const LogRecord& record, ByteView data, const Location& where) {
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < record.operations; ++i) {
    if (data.size() - at < log::kOperationHeader) return fail(Code::kCorrupt, "a log record ends before its operations do", where);
    const ByteView header = data.subspan(at, log::kOperationHeader);
    const std::size_t length = load_be<std::uint32_t>(header, log::kOperationLength);
    at += log::kOperationHeader;
    if (length > data.size() - at) return fail(Code::kCorrupt, fmt::format("operation of {} bytes does not fit its log record", length), where);
    ICECORE_CHECK(operation(load_be<std::uint32_t>(header, 0), load_be<std::uint8_t>(header, log::kOperationFlags), data.subspan(at, length),
                            record.lsn, where));
    at += length;
  }
  return {};
}

Result<void> TransactionReader::operation(std::uint32_t id, std::uint8_t flags, ByteView data, std::uint64_t lsn, const Location& where) {
  const auto found = open_.find(id);
  if ((flags & log::kStart) != 0) {
    if (found != open_.end()) held_ -= found->second.bytes;
    open_[id] = Open{{lsn, {}}, 0, 0};
    return {};
  }
  // The rest of a transaction that began before the tail: its changes are on the disk.
  if (found == open_.end()) return {};
  if ((flags & log::kUnmount) != 0) return {};
  if ((flags & log::kCommit) != 0) {
    Transaction done = std::move(found->second.transaction);
    held_ -= found->second.bytes;
    open_.erase(found);
    std::erase_if(done.items, [](const LogItem& item) { return item.regions.empty() || item.regions.size() != item.expected; });
    return sink_(std::move(done));
  }
  return (flags & log::kWasContinued) != 0 ? continue_region(found->second, data, where) : new_region(found->second, data, where);
}

Result<void> TransactionReader::account(Open& open, std::size_t bytes, const Location& where) {
  open.bytes += bytes;
  held_ += bytes;
  if (held_ > kMostBytes) return fail(Code::kUnsupported, "the log's open transactions are too large to be held in memory", where);
  return {};
}

Result<void> TransactionReader::new_region(Open& open, ByteView data, const Location& where) {
  if (data.empty()) return {};
  if (open.header == 0) {
    if (data.size() > log::kTransactionHeader || data.size() < 4 || load_le<std::uint32_t>(data, 0) != log::kTransactionMagic)
      return fail(Code::kCorrupt, "a transaction in the log has no header", where);
    open.header = data.size();
    return {};
  }
  ICECORE_CHECK(account(open, data.size() + sizeof(Bytes), where));
  auto& items = open.transaction.items;
  if (items.empty() || items.back().regions.size() == items.back().expected) {
    const std::size_t regions = data.size() >= 4 ? load_le<std::uint16_t>(data, 2) : 0;
    if (regions == 0 || regions > kMostRegions) return fail(Code::kCorrupt, fmt::format("log item of {} regions", regions), where);
    ICECORE_CHECK(account(open, sizeof(LogItem), where));
    items.push_back({{}, regions});
  }
  items.back().regions.emplace_back(data.begin(), data.end());
  return {};
}

Result<void> TransactionReader::continue_region(Open& open, ByteView data, const Location& where) {
  if (open.header < log::kTransactionHeader) {
    open.header = std::min(log::kTransactionHeader, open.header + data.size());
    return {};
  }
  auto& items = open.transaction.items;
  if (items.empty()) return fail(Code::kCorrupt, "the log continues a region that never began", where);
  ICECORE_CHECK(account(open, data.size(), where));
  Bytes& region = items.back().regions.back();
  region.insert(region.end(), data.begin(), data.end());
  return {};
}

}  // namespace icecore::fs::xfs
