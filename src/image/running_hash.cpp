#include "image/running_hash.h"

#include <algorithm>
#include <chrono>

#include "core/interrupt.h"

namespace icecore::image {
namespace {

constexpr auto kPause = std::chrono::milliseconds(10);
constexpr std::uint64_t kAhead = 8;  // blocks

const Bytes& zeros() {
  static const Bytes block(kBlockSize);
  return block;
}

}  // namespace

RunningHash::RunningHash(ImageState& state) : state_(state), thread_([this] { run(); }) {}

RunningHash::~RunningHash() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void RunningHash::run() {
  try {
    Bytes buffer(kBlockSize);
    for (std::uint64_t block = 0; block < state_.block_count() && result_; ++block) {
      result_ = hash_block(block, buffer);
      if (result_) hashed_ = block + 1;
    }
  } catch (const std::exception& error) {
    result_ = fail(Code::kInternal, std::string("unexpected exception: ") + error.what());
  }
  through_ = true;
}

// Blocks that are ready were checked in this run. Those of earlier runs are checked here, so that no changed byte gets into the hash that is signed.
Result<void> RunningHash::wait_for(std::uint64_t block) {
  for (;;) {  // whoever gives up does not wait for a terabyte of blocks that are ready
    if (stopping_) return fail(Code::kInterrupted, "the image is not hashed any more");
    if (interrupted()) return interruption();
    if (state_.is_ready(block)) return {};
    if (state_.is_here(block)) {
      ICECORE_CHECK(state_.make_ready({block}));
    } else if (all_there_ && !state_.is_ready(block)) {
      return fail(Code::kInternal, "a block is missing in an image that is complete");
    } else {
      std::this_thread::sleep_for(kPause);
    }
  }
}

// The disk reads while the blocks before are hashed.
void RunningHash::read_ahead_of(std::uint64_t block) {
  announced_ = std::max(announced_, block + 1);
  for (; announced_ < std::min(block + kAhead, state_.block_count()) && state_.is_ready(announced_); ++announced_)
    if (state_.is_here(announced_)) state_.file->will_read(announced_ * kBlockSize, kBlockSize);
}

Result<void> RunningHash::hash_block(std::uint64_t block, Bytes& buffer) {
  ICECORE_CHECK(wait_for(block));
  read_ahead_of(block);
  const bool hole = !state_.is_here(block);
  if (!hole) ICECORE_CHECK(state_.file->read(block * kBlockSize, buffer));
  hash_.update(hole ? zeros() : buffer);
  return {};
}

Result<std::string> RunningHash::finish(Progress& progress) {
  all_there_ = true;
  progress.begin("hashing the image", state_.block_count() * kBlockSize, "bytes");
  while (!through_) {
    progress.update(hashed_ * kBlockSize);
    std::this_thread::sleep_for(kPause);
  }
  progress.end();
  thread_.join();
  ICECORE_CHECK(result_);
  return to_hex(hash_.finish());
}

}  // namespace icecore::image
