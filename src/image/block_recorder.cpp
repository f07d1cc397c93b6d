#include "image/block_recorder.h"

#include <algorithm>
#include <chrono>
#include <exception>

namespace icecore::image {

BlockRecorder::BlockRecorder(ImageFile& file, BlockDatabase& database, Options options, Hooks hooks)
    : file_(file), database_(database), options_(options), hooks_(std::move(hooks)), thread_([this] { run(); }) {}

BlockRecorder::~BlockRecorder() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void BlockRecorder::add(BlockRecord record) {
  bool full = false;
  {
    const std::scoped_lock lock(mutex_);
    waiting_.records.push_back(std::move(record));
    ++added_;
    full = waiting_.records.size() == 1 || waiting_.records.size() >= options_.batch;
  }
  if (full) wake_.notify_one();
}

void BlockRecorder::add_listing(std::span<const std::uint64_t> chunks) {
  {
    const std::scoped_lock lock(mutex_);
    waiting_.chunks.insert(waiting_.chunks.end(), chunks.begin(), chunks.end());
    ++added_;
  }
  wake_.notify_one();
}

Result<void> BlockRecorder::flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = added_;
  flushing_ = true;
  wake_.notify_one();
  done_.wait(lock, [&] { return finished_ >= mine; });
  if (failure_) return Failure(*failure_);
  return {};
}

std::optional<Error> BlockRecorder::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

void BlockRecorder::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto urgent = [&] { return stopping_ || flushing_ || waiting_.records.size() >= options_.batch; };
    wake_.wait(lock, [&] { return stopping_ || flushing_ || !waiting_.empty(); });
    // Lets a batch gather.
    if (!urgent()) wake_.wait_for(lock, std::chrono::milliseconds(options_.interval_ms), urgent);
    flushing_ = false;
    const Work work = std::exchange(waiting_, {});
    const std::uint64_t covered = added_;
    const bool failed = failure_.has_value();
    if (!work.empty()) {
      lock.unlock();
      const Result<void> committed = failed ? Result<void>(fail(Code::kIo, "an earlier batch could not be recorded")) : commit(work);
      if (!committed) hooks_.lost(work.records);
      lock.lock();
      if (!committed && !failure_) failure_ = committed.error();
    }
    finished_ = covered;
    done_.notify_all();
    if (stopping_ && waiting_.empty()) return;
  }
}

Result<void> BlockRecorder::commit(const Work& work) {
  try {
    if (!work.records.empty()) ICECORE_CHECK(file_.sync());
    std::vector<std::uint64_t> chunks = work.chunks;
    std::ranges::sort(chunks);
    chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());  // clang 14 cannot take libstdc++ 12's subranges
    if (chunks.empty()) {
      ICECORE_CHECK(database_.record(work.records, nullptr, {}));
    } else {
      const Listing listing = hooks_.listing();
      ICECORE_CHECK(database_.record(work.records, &listing, chunks));
    }
    hooks_.recorded(work.records);
    return {};
  } catch (const std::exception& error) {
    return fail(Code::kInternal, std::string("unexpected exception while recording blocks: ") + error.what());
  }
}

}  // namespace icecore::image
