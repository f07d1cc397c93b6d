// Another image that holds some of this snapshot's blocks: the one of an earlier snapshot, or of a sibling instance. What is the same there need not
// come over the wire a second time. Which blocks are the same is for the caller to know (ListChangedBlocks); that they are unharmed is checked here.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "image/bitmap.h"
#include "image/block_database.h"

namespace icecore::image {

/// Thread-safe once mark_same was called.
class Donor {
 public:
  /// Opens `folder`/image.raw and `folder`/blocks.db without writing to either.
  static Result<std::shared_ptr<Donor>> open(const Path& folder);

  const std::string& snapshot() const { return database_->identity().snapshot; }
  std::uint64_t block_count() const { return database_->block_count(); }
  std::uint64_t recorded_blocks() const { return database_->log().blocks; }

  /// Says which blocks of the new snapshot equal the ones here; those that this image does not hold, or hold only as a hole, are left out. Call it
  /// once.
  Result<void> mark_same(const Bitmap& same);
  /// Whether the block can be taken from here.
  bool has(std::uint64_t block) const { return usable_ && block < usable_->size() && usable_->test(block); }
  /// How many can.
  std::uint64_t usable_blocks() const { return usable_ ? usable_->count() : 0; }

  /// Precondition: has(block). Reads it and holds it against its recorded SHA-256: kIntegrity where the image was changed since.
  Result<Sha256Digest> read(std::uint64_t block, std::span<std::byte> out) const;

  /// For sharing the blocks on the disk instead of copying them.
  int descriptor() const { return file_.get(); }

 private:
  Donor(Path folder, FileDescriptor file, std::unique_ptr<BlockDatabase> database)
      : folder_(std::move(folder)), file_(std::move(file)), database_(std::move(database)) {}

  const Path folder_;
  const FileDescriptor file_;
  const std::unique_ptr<BlockDatabase> database_;
  std::optional<Bitmap> usable_;
};

using DonorPtr = std::shared_ptr<const Donor>;

}  // namespace icecore::image
