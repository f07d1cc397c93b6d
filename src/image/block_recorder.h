// The order that makes blocks.db true: write the block, flush image.raw, then record the row. Flushing is done in batches on a thread of its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "image/block_database.h"
#include "image/image_file.h"

namespace icecore::image {

/// Thread-safe.
class BlockRecorder {
 public:
  struct Options {
    std::int64_t interval_ms = 250;
    std::size_t batch = 1024;
  };
  /// `recorded` is told of each batch once it is in the database, `lost` of a batch whose flush or transaction failed: what is in the file is
  /// then unknown.
  /// `listing` gives a copy of the listing as it is now, for storing. All are called on the recorder's thread. `file` and `database` outlive it.
  using Report = std::function<void(std::span<const BlockRecord>)>;
  struct Hooks {
    Report recorded, lost;
    std::function<Listing()> listing;
  };
  BlockRecorder(ImageFile& file, BlockDatabase& database, Options options, Hooks hooks);
  /// Records what is waiting.
  ~BlockRecorder();

  /// A block whose bytes are in the file.
  void add(BlockRecord record);
  /// Chunks of the listing that changed. Knowledge, not data: stored with the next batch, or after the interval.
  void add_listing(std::span<const std::uint64_t> chunks);

  /// Returns when all that was added before is recorded, or why it is not.
  Result<void> flush();
  /// The first error; it stays.
  std::optional<Error> failure() const;

 private:
  struct Work {
    std::vector<BlockRecord> records;
    std::vector<std::uint64_t> chunks;
    bool empty() const { return records.empty() && chunks.empty(); }
  };
  void run();
  Result<void> commit(const Work& work);

  ImageFile& file_;
  BlockDatabase& database_;
  const Options options_;
  const Hooks hooks_;
  mutable std::mutex mutex_;
  std::condition_variable wake_, done_;
  Work waiting_;
  std::uint64_t added_ = 0, finished_ = 0;  // pieces of work, for flush
  bool flushing_ = false, stopping_ = false;
  std::optional<Error> failure_;
  std::thread thread_;
};

}  // namespace icecore::image
