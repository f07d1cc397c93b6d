// A snapshot as a disk, filled on demand: a sparse image.raw and a blocks.db beside it. Reading fetches what is missing, checks it, writes it,
// makes it safe, then records it. Triage, acquisition, resume and verification all use the same two files (docs/image.md).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/progress.h"
#include "core/provenance.h"
#include "image/block_source.h"
#include "image/block_store.h"
#include "image/donor.h"

namespace icecore::image {

class ImageFile;
class ImageState;

struct OnDemandOptions {
  std::size_t threads = 64;               ///< blocks in flight
  std::size_t listing_threads = 4;        ///< listings side by side
  bool verify_on_first_use = true;        ///< a block recorded by an earlier run is hashed again before its first use in this one
  std::int64_t commit_interval_ms = 250;  ///< how long a fetched block may wait to be made safe and recorded
  std::size_t commit_blocks = 1024;       ///< … or how many may wait
  /// Tests put a file in here that forgets what was not flushed; empty: the real one.
  std::function<Result<std::unique_ptr<ImageFile>>(const Path&, std::uint64_t size)> open_file = {};
};

/// Since the image was opened. For the bill: list calls and get calls.
struct ImageStatistics {
  std::uint64_t blocks_fetched = 0;
  std::uint64_t bytes_fetched = 0;  ///< bodies of all get calls, refused ones too
  std::uint64_t get_calls = 0;
  std::uint64_t list_calls = 0;
  std::uint64_t checksum_failures = 0;  ///< bodies that did not match and were asked for again
  std::uint64_t stale_tokens = 0;       ///< tokens that had to be listed again
  std::uint64_t blocks_reverified = 0;  ///< recorded by earlier runs, hashed again
  std::uint64_t blocks_taken = 0;       ///< from other images instead of the wire
  std::uint64_t blocks_shared = 0;      ///< of these, without a second copy on the disk
};

/// What is known of the whole snapshot.
struct ImageProgress {
  std::uint64_t volume_blocks = 0;
  std::uint64_t listed_blocks = 0;    ///< of which it is known whether they are written
  std::uint64_t written_blocks = 0;   ///< known to be written
  std::uint64_t recorded_blocks = 0;  ///< here, checked and safe
  std::uint64_t offered_blocks = 0;   ///< not here, but in another image (use_donors)
  bool complete = false;              ///< everything listed, every written block recorded
};

/// blocks.db at this moment, for the ledger (evidence::CaseFolder::seal_image).
struct ImageLogState {
  std::uint64_t blocks = 0;
  std::string sha256;
};

/// Hashes of a complete image.
struct WholeImage {
  std::string sha256;       ///< `sha256sum image.raw`
  std::string merkle_root;  ///< over all blocks' SHA-256 (image/merkle.h)
};

/// Thread-safe. One per folder and process (the case's lock sees to that).
class OnDemandImage : public BlockSource {
 public:
  /// Opens or makes `folder`/image.raw and `folder`/blocks.db. kConflict where they are of another snapshot or size, kIntegrity where blocks.db is
  /// damaged, kIo. What an earlier run wrote and did not record is discarded.
  static Result<std::shared_ptr<OnDemandImage>> open(const Path& folder, std::shared_ptr<BlockStore> store, OnDemandOptions options = {});

  /// The same without a remote (offline work on a case): what is not there is kNotFound, naming the block and what to do.
  static Result<std::shared_ptr<OnDemandImage>> open_offline(const Path& folder, OnDemandOptions options = {});

  ~OnDemandImage() override;

  std::uint64_t size() const override;
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override;
  Result<void> prefetch(std::span<const ByteRange> ranges) const override;
  std::string name() const override;

  /// From now on blocks that a donor has are taken from there, checked, instead of being fetched; the first that has one gives it. Call it before the
  /// image is read by other threads.
  void use_donors(std::vector<DonorPtr> donors);

  /// Fetches everything that is still missing; `progress` counts blocks, its total is 0 until the listing is through. Resumes from whatever is
  /// there. Afterwards progress().complete.
  Result<void> acquire_all(Progress& progress);

  /// The same, and whole_image() while it goes on: a volume is mostly holes, and hashing them takes longer than fetching the rest.
  Result<WholeImage> acquire_and_hash(Progress& progress);

  /// Lists the whole snapshot (for the plan and the cost) without fetching a block.
  Result<void> list_all();

  /// Of the blocks that were listed so far, those that are written.
  Bitmap written_blocks() const;

  /// SHA-256 and Merkle root of a complete image, computed once and kept in blocks.db. kConflict where it is not complete.
  Result<WholeImage> whole_image(Progress& progress);
  /// The Merkle root alone, which needs no reading. kConflict where the image is not complete.
  Result<std::string> merkle_root() const;
  /// The same where it was computed before.
  std::optional<WholeImage> known_whole_image() const;

  /// Makes everything fetched so far safe and recorded.
  Result<void> flush() const;
  /// Flushes, and folds blocks.db into one file, so that it can be hashed. Nothing may be read afterwards.
  Result<void> close();

  /// The recorded blocks under a range, for provenance. Flushes first. Blocks that hold only zeros because they were never written are not in it.
  Result<std::vector<BlockReference>> block_references(const ByteRange& range) const;

  ImageLogState log_state() const;
  ImageStatistics statistics() const;
  ImageProgress progress() const;

 private:
  Result<WholeImage> keep_whole_image(Result<std::string> sha256);
  explicit OnDemandImage(std::unique_ptr<ImageState> state);
  static Result<std::shared_ptr<OnDemandImage>> make(Result<std::unique_ptr<ImageState>> state);
  std::unique_ptr<ImageState> state_;
};

}  // namespace icecore::image
