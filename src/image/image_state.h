// What an OnDemandImage is made of, and how a block becomes readable. Internal to image/.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>

#include "image/block_recorder.h"
#include "image/on_demand_image.h"
#include "image/snapshot_listing.h"

namespace icecore::image {

/// Thread-safe. A block is *ready* when its bytes in image.raw were checked in this run (or it is a hole that the listing explains); it is *here*
/// when its bytes are in image.raw at all.
class ImageState {
 public:
  /// `store` null: offline.
  static Result<std::unique_ptr<ImageState>> open(const Path& folder, std::shared_ptr<BlockStore> store, OnDemandOptions options);
  ~ImageState();

  /// Makes every block of `blocks` (ascending, unique) ready: fetches, or hashes again, side by side. Blocks that another thread is at are waited
  /// for.
  Result<void> make_ready(std::vector<std::uint64_t> blocks);
  /// The blocks under a range that are not ready; ranges may reach beyond the end.
  std::vector<std::uint64_t> missing(std::span<const ByteRange> ranges) const;
  /// Fetches one block with a token at hand, unless it is here or on its way: for acquisition.
  Result<void> fetch_listed(const ListedBlock& block);
  bool is_here(std::uint64_t block) const;
  bool is_ready(std::uint64_t block) const { return ready_->test(block); }
  /// The donor to take a block from, if any.
  const Donor* donor_of(std::uint64_t block) const;
  /// Blocks that are not here and that a donor has.
  std::uint64_t offered() const;

  std::uint64_t block_count() const { return volume_size / kBlockSize; }
  Failure closed_failure() const;

  const Path folder;
  const std::shared_ptr<BlockStore> store;
  const OnDemandOptions options;
  std::string snapshot;
  std::uint64_t volume_size = 0;
  std::unique_ptr<BlockDatabase> database;
  std::unique_ptr<ImageFile> file;
  std::unique_ptr<SnapshotListing> listing;
  std::unique_ptr<BlockRecorder> recorder;
  std::vector<DonorPtr> donors;
  std::atomic<bool> closed{false};
  std::atomic<bool> acquiring{false};  ///< blocks are fetched to be kept, not to be read at once
  std::atomic<std::uint64_t> blocks_fetched{0}, bytes_fetched{0}, get_calls{0}, checksum_failures{0}, stale_tokens{0}, reverified{0}, taken{0},
      shared{0};

 private:
  struct Pending {
    bool done = false;
    std::optional<Error> error;
  };
  using PendingPtr = std::shared_ptr<Pending>;
  struct Claim {
    std::vector<std::uint64_t> mine;
    std::vector<PendingPtr> others;
  };

  ImageState(Path folder_path, std::shared_ptr<BlockStore> block_store, OnDemandOptions image_options);
  Result<void> open_files();
  Result<void> load();
  Result<void> discard_unrecorded();
  void start_recorder();
  void mark_holes_ready(const Listing& known, std::uint64_t first, std::uint64_t end);

  Claim claim(std::span<const std::uint64_t> blocks);
  void finish(std::uint64_t block, const Result<void>& result);
  Result<void> wait_for(const std::vector<PendingPtr>& others);
  Result<void> work_on(std::span<const std::uint64_t> mine);
  Result<void> obtain(std::uint64_t block, std::optional<std::string> token);
  Result<void> check_again(std::uint64_t block);
  Result<void> fetch(std::uint64_t block, std::optional<std::string> token);
  Result<BlockAnswer> ask(std::uint64_t block, const std::string& token, std::span<std::byte> out);
  Result<void> accept(std::uint64_t block, ByteView bytes, const Sha256Digest& hash, std::string request_id);
  Result<void> take(const Donor& donor, std::uint64_t block, std::span<std::byte> buffer);
  Result<void> put(std::uint64_t block, ByteView bytes);
  void record(std::uint64_t block, const Sha256Digest& hash, std::string origin);
  Location where(std::uint64_t block) const;

  class Buffer;
  struct FreeMemory {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  using BlockMemory = std::unique_ptr<std::byte, FreeMemory>;  // kBlockSize bytes, on a page's boundary for O_DIRECT
  BlockMemory take_buffer();
  void give_buffer(BlockMemory buffer);

  std::unique_ptr<AtomicBitmap> ready_;
  std::counting_semaphore<> slots_;  // get calls in flight
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::optional<Bitmap> here_;
  std::map<std::uint64_t, PendingPtr> in_flight_;
  std::mutex buffers_mutex_;
  std::vector<BlockMemory> buffers_;  // fresh ones cost 128 page faults each
};

}  // namespace icecore::image
