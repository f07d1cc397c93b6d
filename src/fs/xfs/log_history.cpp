#include "fs/xfs/log_history.h"

#include <fmt/format.h>
#include <algorithm>
#include <unordered_map>

#include "fs/xfs/directory.h"
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

  Result<LogHistory> run() {
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
    return std::move(history_);
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
    ++history_.transactions;
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
    if (inode->info.type == FileType::kDirectory && (logged.fields & log::kFieldDataLocal) != 0) keep_entries(*inode, lsn);
    if (history_.lives.size() >= kMostLives) return;
    InodeLife& life = history_.lives[{logged.inode, inode->info.generation}];
    life.info = inode->info;
    life.lsn = lsn;
    life.blocks = load_be<std::uint64_t>(record, dinode::kBlocks);
    if (inode->info.type == FileType::kSymlink && (logged.fields & log::kFieldDataLocal) != 0 && inode->data.format == ForkFormat::kLocal)
      life.inside = std::string(as_text(inode->data.bytes.first(std::min<std::size_t>(inode->data.bytes.size(), inode->info.size))));
    if ((logged.fields & log::kFieldDataRoot) != 0 && inode->data.format == ForkFormat::kBtree) life.tree = record;
    if ((logged.fields & log::kFieldDataExtents) == 0 || logged.data.empty()) return;
    auto mappings = parse_extent_list(inode->data, device_.at(0));
    if (mappings && !mappings->empty() && check_mappings(super_, *mappings, inode->realtime, device_.at(0))) life.mappings = std::move(*mappings);
  }

  void keep_entries(const Inode& folder, std::uint64_t lsn) {
    const auto parsed = parse_short_form(super_, folder.data.bytes, device_.at(0), [&](const RawEntry& entry) {
      if (history_.entries.size() >= kMostLives) return;
      std::string key = fmt::format("{}/{}/{}/", folder.info.inode, folder.info.generation, entry.inode);
      key += entry.name;
      const auto [at, added] = known_.try_emplace(std::move(key), history_.entries.size());
      if (added)
        history_.entries.push_back({folder.info.inode, folder.info.generation, entry.inode, std::string(entry.name), lsn});
      else
        history_.entries[at->second].lsn = lsn;
    });
    (void)parsed.has_value();
  }

  const Reader& reader_;
  const Superblock& super_;
  LogDevice device_;
  LogHistory history_;
  std::unordered_map<std::string, std::size_t> known_;  // entries by all that tells them apart
};

}  // namespace

Result<LogHistory> read_log_history(const Reader& reader, Anomalies& anomalies) {
  auto device = LogDevice::open(reader);
  if (!device) {
    anomalies.add("xfs.log", std::move(device).error());
    return LogHistory{};
  }
  return History(reader, std::move(*device)).run();
}

}  // namespace icecore::fs::xfs
