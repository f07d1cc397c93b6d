#include "fs/xfs/log_replay.h"

#include <algorithm>
#include <list>
#include <map>

#include "fs/xfs/log_buffers.h"
#include "fs/xfs/log_find.h"
#include "fs/xfs/log_inode.h"
#include "fs/xfs/log_transactions.h"
#include "fs/xfs/overlay.h"
#include "fs/xfs/xfs_log_format.h"

// After xlog_recover and xlog_do_recovery_pass of Linux fs/xfs/xfs_log_recover.c: two passes, the first for buffers that were freed.

namespace icecore::fs::xfs {
namespace {

// Each is held against all that its file maps. A kernel leaves as many open as it had transactions under way: hundreds, not thousands.
constexpr std::size_t kMostPending = 10'000;
constexpr std::size_t kMostSectors = (std::size_t{256} << 20) / 540;

// Where a walk along the log had to stop, and why.
struct Stop {
  std::uint32_t block;
  bool torn;
  Error error;
};

bool is_sources_own(const Error& error) { return error.code != Code::kCorrupt && error.code != Code::kUnsupported; }

class Replay {
 public:
  Replay(const Reader& reader, LogDevice device, Anomalies& anomalies)
      : reader_(reader), super_(reader.super), device_(std::move(device)), anomalies_(anomalies), overlay_(reader.source, kMostSectors) {}

  Result<Recovered> run() {
    Recovered nothing{reader_.source, false, {}};
    auto bounds = find_log_bounds(device_);
    if (!bounds) return failed(std::move(bounds).error(), nothing);
    if (bounds->clean) return nothing;
    ICECORE_CHECK(device_.prefetch(bounds->tail, device_.distance(bounds->tail, bounds->head)));
    ICECORE_ASSIGN(const bool any, first_pass(*bounds));
    if (!any) return nothing;
    ICECORE_CHECK(reader_.source->prefetch(targets_));
    targets_ = {};
    ICECORE_ASSIGN(const auto stop, walk(*bounds, [this](Transaction&& transaction) { return replay(transaction); }));
    if (stop) note("xfs.log", stop->error);
    for (const auto& [block, buffer] : replayed_) ICECORE_CHECK(tolerate(stamp_checksum(buffer, overlay_)));
    Recovered recovered;
    recovered.changed = overlay_.changed();
    recovered.pending = pending_maps();
    recovered.source = overlay_.finish();
    return recovered;
  }

 private:
  void note(std::string kind, const Error& error) { anomalies_.add(std::move(kind), error); }

  Result<Recovered> failed(Error error, const Recovered& otherwise) {
    if (is_sources_own(error)) return Failure(std::move(error));
    note("xfs.log", error);
    return otherwise;
  }

  Result<void> tolerate(Result<void> done) {
    if (done || is_sources_own(done.error())) return done;
    note("xfs.log", done.error());
    return {};
  }

  // Finds what was freed. Where the log turns out to end earlier than its cycle numbers say, the bounds move; false where nothing is left.
  Result<bool> first_pass(LogBounds& bounds) {
    for (std::uint32_t tries = 0; tries <= log::kMostInFlight; ++tries) {
      cancelled_ = {};
      targets_.clear();
      ICECORE_ASSIGN(const auto stop, walk(bounds, [this](Transaction&& transaction) { return collect(transaction); }));
      if (!stop) return true;
      note(stop->torn ? "xfs.log-torn" : "xfs.log", stop->error);
      auto earlier = bounds_before(device_, stop->block);
      if (!earlier) {
        if (is_sources_own(earlier.error())) return Failure(std::move(earlier).error());
        return false;
      }
      if (earlier->clean) return false;
      bounds = *earlier;
    }
    return true;
  }

  Result<std::optional<Stop>> walk(const LogBounds& bounds, const TransactionReader::Sink& sink) {
    TransactionReader transactions(sink);
    std::uint32_t left = device_.distance(bounds.tail, bounds.head);
    if (left == 0) left = device_.blocks();  // a full ring; a clean log never comes here
    std::uint64_t lsn = 0;
    for (std::uint32_t block = bounds.tail; left > 0;) {
      auto record = device_.record(block);
      if (!record) {
        if (is_sources_own(record.error())) return Failure(std::move(record).error());
        return std::optional(Stop{block, false, std::move(record).error()});
      }
      if (record->blocks() > left || record->lsn < lsn)
        return std::optional(Stop{block, false, {Code::kCorrupt, "a log record is out of order", device_.at(block), {}}});
      ICECORE_ASSIGN(const auto data, device_.data(*record));
      if (!data)
        return std::optional(Stop{block, true, {Code::kCorrupt, "a log record has a wrong checksum: the log ends before it", device_.at(block), {}}});
      if (auto done = transactions.add(*record, *data, device_.at(block)); !done) {
        if (is_sources_own(done.error())) return Failure(std::move(done).error());
        return std::optional(Stop{block, false, std::move(done).error()});
      }
      lsn = record->lsn;
      left -= record->blocks();
      block = device_.add(block, record->blocks());
    }
    return std::optional<Stop>();
  }

  Location where() const { return device_.at(0); }

  Result<void> collect(const Transaction& transaction) {
    for (const LogItem& item : transaction.items) {
      if (item.type() == log::kBuffer) {
        const auto buffer = parse_logged_buffer(item, where());
        if (!buffer) continue;  // the second pass reports it
        if ((buffer->flags & log::kBufferCancel) != 0)
          cancelled_.add(*buffer);
        else
          targets_.push_back({buffer->block * kBasicBlock, std::uint64_t{buffer->blocks} * kBasicBlock});
      } else if (item.type() == log::kInode) {
        if (const auto inode = parse_logged_inode(super_, item, where())) targets_.push_back({inode->offset, super_.inode_size});
      }
    }
    return {};
  }

  // xlog_recover_reorder_trans: buffers and new chunks, then inodes and intents, then what was freed. Buffers that carry only the lists of unlinked
  // inodes are left out: whoever has no link is known by that.
  Result<void> replay(const Transaction& transaction) {
    for (const LogItem& item : transaction.items) {
      if (item.type() == log::kBuffer) ICECORE_CHECK(tolerate(buffer_item(item, transaction.lsn)));
      if (item.type() == log::kInodeCreate) ICECORE_CHECK(tolerate(apply_inode_creation(super_, item, cancelled_, overlay_, where())));
    }
    for (const LogItem& item : transaction.items) {
      if (item.type() == log::kInode) ICECORE_CHECK(tolerate(inode_item(item, transaction.lsn)));
      intent(item);
    }
    for (const LogItem& item : transaction.items) {
      if (item.type() != log::kBuffer) continue;
      const auto buffer = parse_logged_buffer(item, where());
      if (buffer && (buffer->flags & log::kBufferCancel) != 0) cancelled_.take(*buffer);
    }
    return {};
  }

  Result<void> buffer_item(const LogItem& item, std::uint64_t lsn) {
    ICECORE_ASSIGN(const LoggedBuffer buffer, parse_logged_buffer(item, where()));
    if ((buffer.flags & (log::kBufferCancel | log::kBufferInodes | log::kBufferQuota)) != 0 || cancelled_.holds(buffer.block, buffer.blocks))
      return {};
    ICECORE_ASSIGN(const bool done, apply_buffer(super_, item, buffer, lsn, overlay_, where()));
    if (done && super_.crc) replayed_.insert_or_assign(buffer.block, LoggedBuffer{buffer.block, buffer.blocks, buffer.flags, {}});
    return {};
  }

  Result<void> inode_item(const LogItem& item, std::uint64_t lsn) {
    ICECORE_ASSIGN(const LoggedInode logged, parse_logged_inode(super_, item, where()));
    if (cancelled_.covers(logged.buffer_block)) return {};
    Bytes record(super_.inode_size);
    ICECORE_CHECK(overlay_.read(logged.offset, record));
    const Location place = reader_.at(logged.offset, logged.inode);
    if (load_be<std::uint16_t>(record, 0) != dinode::kMagic) return fail(Code::kCorrupt, "the log changes an inode where the disk has none", place);
    if (is_newer_on_disk(super_, logged, lsn, record)) return {};
    ICECORE_CHECK(apply_logged_inode(super_, logged, lsn, record, place));
    return overlay_.write(logged.offset, record);
  }

  void intent(const LogItem& item) {
    const ByteView format = item.regions.front();
    if (format.size() < log::kIntentExtents) return;
    const auto id = load_le<std::uint64_t>(format, log::kIntentId);
    switch (item.type()) {
      case log::kMapIntent:
      case log::kAttributeIntent:
      case log::kExchangeIntent:
        open_[{id, item.type()}].push_back(next_intent_);
        intents_.emplace(next_intent_++, Intent{item.type(), Bytes(format.begin(), format.end())});
        break;
      case log::kMapDone: finish(id, log::kMapIntent); break;
      case log::kAttributeDone: finish(id, log::kAttributeIntent); break;
      case log::kExchangeDone: finish(id, log::kExchangeIntent); break;
      default: break;
    }
  }

  // Ids are addresses in the kernel's memory and come again: the intent that is meant is the oldest one open.
  void finish(std::uint64_t id, std::uint16_t type) {
    const auto found = open_.find({id, type});
    if (found == open_.end()) return;
    intents_.erase(found->second.front());
    found->second.pop_front();
    if (found->second.empty()) open_.erase(found);
  }

  std::vector<PendingMap> pending_maps() {
    std::vector<PendingMap> pending;
    for (const auto& [order, intent] : intents_) {
      if (intent.type != log::kMapIntent) {
        note("xfs.log-intent", {Code::kUnsupported,
                                "the log ends within a change of attributes or an exchange of extents; the file is shown as before it",
                                where(),
                                {}});
        continue;
      }
      const std::size_t count = load_le<std::uint32_t>(intent.format, log::kIntentCount);
      for (std::size_t i = 0; i < count && log::kIntentExtents + (i + 1) * log::kMapExtent <= intent.format.size(); ++i)
        add_pending(ByteView(intent.format).subspan(log::kIntentExtents + i * log::kMapExtent, log::kMapExtent), pending);
    }
    return pending;
  }

  // struct xfs_map_extent: owner, block, offset in the file, length, flags
  void add_pending(ByteView extent, std::vector<PendingMap>& pending) {
    const auto flags = load_le<std::uint32_t>(extent, 28);
    PendingMap map;
    map.inode = load_le<std::uint64_t>(extent, 0);
    map.mapping = {load_le<std::uint64_t>(extent, 16), load_le<std::uint64_t>(extent, 8), load_le<std::uint32_t>(extent, 24),
                   (flags & log::kMapUnwritten) != 0};
    map.attribute_fork = (flags & log::kMapAttrFork) != 0;
    map.unmap = (flags & log::kMapTypeMask) == log::kMapUnmap;
    if (auto sound = check_mappings(super_, std::span(&map.mapping, 1), false, where()); !sound)
      note("xfs.log", sound.error());
    else if (pending.size() == kMostPending)
      note("xfs.log-intent", {Code::kUnsupported, "the log leaves more changes of mappings open than are looked at", where(), {}});
    else
      pending.push_back(map);
  }

  struct Intent {
    std::uint16_t type;
    Bytes format;
  };

  const Reader& reader_;
  const Superblock& super_;
  LogDevice device_;
  Anomalies& anomalies_;
  Overlay overlay_;
  CancelTable cancelled_;
  std::vector<image::ByteRange> targets_;
  std::map<std::uint64_t, LoggedBuffer> replayed_;                                    // by first block: the last of a block is what lies there now
  std::map<std::uint64_t, Intent> intents_;                                           // those open, in the order of the log
  std::map<std::pair<std::uint64_t, std::uint16_t>, std::list<std::uint64_t>> open_;  // id and type → keys of intents_, oldest first
  std::uint64_t next_intent_ = 0;
};

}  // namespace

Result<Recovered> replay_log(const Reader& reader, Anomalies& anomalies) {
  auto device = LogDevice::open(reader);
  if (!device) {
    anomalies.add("xfs.log", std::move(device).error());
    return Recovered{reader.source, false, {}};
  }
  return Replay(reader, std::move(*device), anomalies).run();
}

}  // namespace icecore::fs::xfs
