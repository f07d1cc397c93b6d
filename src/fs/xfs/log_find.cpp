#include "fs/xfs/log_find.h"

#include <fmt/format.h>
#include <algorithm>

#include "fs/xfs/xfs_log_format.h"

// After xlog_find_head, xlog_find_zeroed and xlog_find_tail of Linux fs/xfs/xfs_log_recover.c, whose comments draw the cases.

namespace icecore::fs::xfs {
namespace {

constexpr std::uint32_t kMostRecordBlocks = log::kMostRecordBytes / kBasicBlock + log::kMostRecordBytes / log::kHeaderCovers;
constexpr std::uint32_t kMostInFlightBlocks = log::kMostInFlight * log::kMostRecordBytes / kBasicBlock;

// The first block of (first, last] with `cycle`, if the ring were in order. The block at `last` has it, the one at `first` has not.
Result<std::uint32_t> first_with_cycle(const LogDevice& device, std::uint32_t first, std::uint32_t last, std::uint32_t cycle) {
  while (last - first > 1) {
    const std::uint32_t middle = first + (last - first) / 2;
    ICECORE_ASSIGN(const std::uint32_t found, device.cycle(middle));
    (found == cycle ? last : first) = middle;
  }
  return last;
}

// The first of `count` blocks from `block` on that has `cycle`.
Result<std::optional<std::uint32_t>> scan_for_cycle(const LogDevice& device, std::uint32_t block, std::uint32_t count, std::uint32_t cycle) {
  if (count == 0) return std::optional<std::uint32_t>();
  ICECORE_ASSIGN(const Bytes bytes, device.read(block, count));
  for (std::uint32_t i = 0; i < count; ++i)
    if (LogDevice::cycle_of(ByteView(bytes).subspan(std::size_t{i} * kBasicBlock, kBasicBlock)) == cycle) return std::optional(block + i);
  return std::optional<std::uint32_t>();
}

// The nearest record header before `head`, going around.
Result<std::optional<LogRecord>> record_before(const LogDevice& device, std::uint32_t head) {
  const std::uint32_t reach = std::min(kMostRecordBlocks, device.blocks());
  constexpr std::uint32_t kAtOnce = 64;
  for (std::uint32_t back = 0; back < reach; back += kAtOnce) {
    const std::uint32_t count = std::min(kAtOnce, reach - back);
    const std::uint32_t first = device.add(head, device.blocks() - back - count);
    ICECORE_ASSIGN(const Bytes bytes, device.read(first, count));
    for (std::uint32_t i = count; i-- > 0;)
      if (LogDevice::is_record(ByteView(bytes).subspan(std::size_t{i} * kBasicBlock, kBasicBlock))) {
        auto record = device.record(device.add(first, i));
        if (record) return std::optional(*record);
        if (record.error().code != Code::kCorrupt) return Failure(std::move(record).error());
      }
  }
  return std::optional<LogRecord>();
}

Result<bool> is_unmount(const LogDevice& device, const LogRecord& record) {
  if (record.operations != 1 || record.data_blocks == 0) return false;
  ICECORE_ASSIGN(const Bytes block, device.read(device.add(record.block, record.header_blocks), 1));
  return (load_be<std::uint8_t>(block, log::kOperationFlags) & log::kUnmount) != 0;
}

struct Head {
  std::uint32_t block;
  std::uint32_t stop_cycle;  // of blocks that cannot be before the head
  bool zeroed;               // the rest of the log was never written
  bool empty;
};

Result<Head> rough_head(const LogDevice& device) {
  const std::uint32_t last = device.blocks() - 1;
  ICECORE_ASSIGN(const std::uint32_t first_cycle, device.cycle(0));
  ICECORE_ASSIGN(const std::uint32_t last_cycle, device.cycle(last));
  if (first_cycle == 0) return Head{0, 0, true, true};
  if (first_cycle == last_cycle) return Head{device.blocks(), last_cycle - 1, false, false};
  if (last_cycle == 0 && first_cycle != 1)
    return fail(Code::kCorrupt, "this is no XFS log: it ends in zeros, but does not begin in cycle 1", device.at(0));
  ICECORE_ASSIGN(const std::uint32_t head, first_with_cycle(device, 0, last, last_cycle));
  return Head{head, last_cycle, last_cycle == 0, false};
}

// Writes of several records run side by side, so there may be holes before the head: it moves to the first.
Result<std::uint32_t> head_without_holes(const LogDevice& device, const Head& rough) {
  const std::uint32_t window = std::min(kMostInFlightBlocks, device.blocks());
  const std::uint32_t before = std::min(window, rough.block);
  if (before < window && !rough.zeroed) {
    ICECORE_ASSIGN(const auto hole, scan_for_cycle(device, device.blocks() - (window - before), window - before, rough.stop_cycle - 1));
    if (hole) return *hole;
  }
  ICECORE_ASSIGN(const auto hole, scan_for_cycle(device, rough.block - before, before, rough.stop_cycle));
  return hole ? *hole : rough.block;
}

}  // namespace

Result<LogBounds> bounds_before(const LogDevice& device, std::uint32_t head) {
  for (std::uint32_t tries = 0; tries <= log::kMostInFlight; ++tries) {
    ICECORE_ASSIGN(const auto record, record_before(device, head));
    if (!record) return fail(Code::kCorrupt, fmt::format("no log record before the head at block {}", head), device.at(head));
    if (device.add(record->block, record->blocks()) != head % device.blocks()) {
      head = record->block;  // cut off while it was written: the log ends before it
      continue;
    }
    ICECORE_ASSIGN(const bool unmount, is_unmount(device, *record));
    const std::uint32_t tail = lsn_block(record->tail_lsn);
    if (tail >= device.blocks()) return fail(Code::kCorrupt, fmt::format("the log's tail is said to be at block {}", tail), device.at(record->block));
    return LogBounds{tail, head % device.blocks(), unmount};
  }
  return fail(Code::kCorrupt, fmt::format("no whole log record before the head at block {}", head), device.at(head % device.blocks()));
}

Result<LogBounds> find_log_bounds(const LogDevice& device) {
  ICECORE_ASSIGN(const Head rough, rough_head(device));
  if (rough.empty) return LogBounds{};
  // An unmount record right before the head: nothing was written at the same time, so there is nothing to check further back.
  if (auto quick = bounds_before(device, rough.block % device.blocks()); quick && quick->clean && quick->head == rough.block % device.blocks())
    return quick;
  ICECORE_ASSIGN(const std::uint32_t head, head_without_holes(device, rough));
  return bounds_before(device, head % device.blocks());
}

}  // namespace icecore::fs::xfs
