#include "fs/xfs/log_history.h"

#include <algorithm>

#include "fs/xfs/log_device.h"
#include "fs/xfs/log_find.h"
#include "fs/xfs/log_inode.h"
#include "fs/xfs/log_transactions.h"
#include "fs/xfs/xfs_log_format.h"

namespace icecore::fs::xfs {
namespace {

constexpr std::uint32_t kBlocksAtOnce = 2048;  // 1 MiB
constexpr std::size_t kMostLives = 500'000;

class History {
 public:
  History(const Reader& reader, LogDevice device) : reader_(reader), super_(reader.super), device_(std::move(device)) {}

  Result<InodeLives> run() {
    ICECORE_CHECK(device_.prefetch(0, device_.blocks()));
    const auto bounds = find_log_bounds(device_);
    const std::uint32_t oldest = bounds ? bounds->head : 0;
    TransactionReader transactions([this](Transaction&& transaction) { return collect(transaction); });
    Bytes window;
    std::uint32_t window_start = 0, window_count = 0;
    for (std::uint32_t done = 0; done < device_.blocks();) {
      if (done >= window_start + window_count) {
        window_start = done;
        window_count = std::min(kBlocksAtOnce, device_.blocks() - done);
        ICECORE_ASSIGN(window, device_.read(device_.add(oldest, done), window_count));
      }
      const ByteView block = ByteView(window).subspan(std::size_t{done - window_start} * kBasicBlock, kBasicBlock);
      done += LogDevice::is_record(block) ? take_record(device_.add(oldest, done), transactions) : 1;
    }
    return std::move(lives_);
  }

 private:
  // Blocks to go on by. What is cut off or overwritten is no record any more and no anomaly either.
  std::uint32_t take_record(std::uint32_t block, TransactionReader& transactions) {
    const auto record = device_.record(block);
    if (!record || record->length == 0) return 1;
    const auto data = device_.data(*record);
    if (!data || !*data) return 1;
    (void)transactions.add(*record, **data, device_.at(block)).has_value();
    return record->blocks();
  }

  Result<void> collect(const Transaction& transaction) {
    for (const LogItem& item : transaction.items) {
      if (item.type() != log::kInode) continue;
      const auto logged = parse_logged_inode(super_, item, device_.at(0));
      if (logged) keep(*logged, transaction.lsn);
    }
    return {};
  }

  void keep(const LoggedInode& logged, std::uint64_t lsn) {
    Bytes record(super_.inode_size);
    if (!apply_logged_inode(super_, logged, lsn, record, device_.at(0))) return;
    record[dinode::kVersion] = std::byte{super_.crc ? std::uint8_t{3} : std::uint8_t{2}};
    const auto inode = parse_inode(super_, logged.inode, record, reader_.source->name());
    // On its way out a file has no size any more, and then no mode: what was before that is of interest.
    if (!inode || inode->info.mode == 0 || (inode->info.size == 0 && inode->info.links == 0)) return;
    if (lives_.size() >= kMostLives) return;
    InodeLife& life = lives_[{logged.inode, inode->info.generation}];
    life.info = inode->info;
    life.lsn = lsn;
    if ((logged.fields & log::kFieldDataExtents) == 0 || logged.data.empty()) return;
    auto mappings = parse_extent_list(inode->data, device_.at(0));
    if (mappings && !mappings->empty() && check_mappings(super_, *mappings, inode->realtime, device_.at(0))) life.mappings = std::move(*mappings);
  }

  const Reader& reader_;
  const Superblock& super_;
  LogDevice device_;
  InodeLives lives_;
};

}  // namespace

Result<InodeLives> read_inode_history(const Reader& reader, Anomalies& anomalies) {
  auto device = LogDevice::open(reader);
  if (!device) {
    anomalies.add("xfs.log", std::move(device).error());
    return InodeLives{};
  }
  return History(reader, std::move(*device)).run();
}

}  // namespace icecore::fs::xfs
