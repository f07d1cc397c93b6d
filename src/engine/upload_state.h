// Which blocks of an upload AWS has confirmed. A cache beside the user's other caches, not evidence: without it all blocks are sent again, to the
// same effect.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "aws/environment.h"
#include "image/block_database.h"

namespace icecore::engine {

/// Thread-safe.
class UploadState {
 public:
  /// In $XDG_CACHE_HOME/icecore/uploads (~/.cache/…); kIo where it cannot be made.
  static Result<std::unique_ptr<UploadState>> open(const aws::Environment& environment, const std::string& snapshot, std::uint64_t volume_size);
  ~UploadState();

  /// The SHA-256 with which the block was confirmed.
  std::optional<Sha256Digest> confirmed(std::uint64_t block) const;
  /// Recorded in batches: at most the last second's are sent again after a kill.
  Result<void> confirm(std::uint64_t block, const Sha256Digest& sha256);
  Result<void> flush();
  /// The upload is through.
  void remove();

 private:
  UploadState(Path file, std::unique_ptr<image::BlockDatabase> database) : file_(std::move(file)), database_(std::move(database)) {}
  Result<void> load();

  const Path file_;
  std::unique_ptr<image::BlockDatabase> database_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Sha256Digest> confirmed_;
  std::vector<image::BlockRecord> waiting_;
};

}  // namespace icecore::engine
