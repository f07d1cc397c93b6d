// SHA-256 of the whole image.raw while it is being filled: follows the blocks in order, and waits where one is not there yet. On a mostly empty
// volume hashing the holes takes longer than fetching the rest, so the two go side by side. Internal to image/.
#pragma once

#include <atomic>
#include <thread>

#include "image/image_state.h"

namespace icecore::image {

/// Begins at once, on a thread of its own. `state` outlives it.
class RunningHash {
 public:
  explicit RunningHash(ImageState& state);
  /// Gives up.
  ~RunningHash();

  /// Waits until every block was hashed, telling `progress` of the bytes; all blocks must be there or on their way no longer. Lower-case hex.
  Result<std::string> finish(Progress& progress);

 private:
  void run();
  Result<void> hash_block(std::uint64_t block, Bytes& buffer);
  Result<void> wait_for(std::uint64_t block);
  void read_ahead_of(std::uint64_t block);

  ImageState& state_;
  Sha256 hash_;
  std::uint64_t announced_ = 0;           // blocks before it were said to be read soon; the hashing thread's own
  std::atomic<std::uint64_t> hashed_{0};  // blocks
  std::atomic<bool> stopping_{false}, all_there_{false}, through_{false};
  Result<void> result_;
  std::thread thread_;
};

}  // namespace icecore::image
