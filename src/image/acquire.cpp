// The rest of a snapshot: several listings side by side feed a bounded queue, many fetchers empty it.
#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <thread>

#include "core/interrupt.h"
#include "image/image_state.h"

namespace icecore::image {
namespace {

// Tokens waiting to be used: enough to keep the fetchers busy while a page of 10,000 is listed, and a few MiB.
constexpr std::size_t kQueue = 20'000;

/// Listed blocks on their way from listers to fetchers. Thread-safe.
class ListedQueue {
 public:
  /// Waits for room; false once the queue was stopped.
  bool push(ListedBlock block) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return stopped_ || blocks_.size() < kQueue; });
    if (stopped_) return false;
    blocks_.push_back(std::move(block));
    lock.unlock();
    ready_.notify_one();
    return true;
  }
  /// Nothing once it is stopped, or empty with no lister left.
  std::optional<ListedBlock> pop() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return stopped_ || !blocks_.empty() || complete_; });
    if (stopped_ || blocks_.empty()) return std::nullopt;
    ListedBlock block = std::move(blocks_.front());
    blocks_.pop_front();
    lock.unlock();
    room_.notify_one();
    return block;
  }
  void complete() { end(complete_); }
  void stop() { end(stopped_); }

 private:
  void end(bool& flag) {
    {
      const std::scoped_lock lock(mutex_);
      flag = true;
    }
    ready_.notify_all();
    room_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable ready_, room_;
  std::deque<ListedBlock> blocks_;
  bool complete_ = false, stopped_ = false;
};

/// One acquisition. Without fetchers it lists only.
class Acquisition {
 public:
  Acquisition(ImageState& state, std::size_t fetchers) : state_(state), fetchers_(fetchers) {}
  Result<void> run(Progress& progress);

 private:
  void list_worker();
  void fetch_worker();
  Result<void> list_segment(std::uint64_t first, std::uint64_t end);
  Result<bool> hand_on(std::vector<ListedBlock> blocks, std::uint64_t end);
  void watch(Progress& progress);
  void fail_with(Error error);
  template <typename Work>
  void guarded(Work work);

  ImageState& state_;
  const std::size_t fetchers_;
  ListedQueue queue_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Error> error_;
  std::uint64_t next_segment_ = 0;
  std::size_t listers_left_ = 0, workers_left_ = 0;
  std::atomic<std::uint64_t> fetched_{0}, queued_{0};
};

// Segments are more than listers, so that a dense one does not keep the others waiting.
constexpr std::uint64_t kSegmentsPerLister = 4;

void Acquisition::fail_with(Error error) {
  {
    const std::scoped_lock lock(mutex_);
    if (!error_) error_ = std::move(error);
  }
  queue_.stop();
}

template <typename Work>
void Acquisition::guarded(Work work) {
  try {
    const Result<void> result = work();
    if (!result) fail_with(result.error());
  } catch (const std::exception& error) {
    fail_with({Code::kInternal, std::string("unexpected exception: ") + error.what()});
  }
}

Result<bool> Acquisition::hand_on(std::vector<ListedBlock> blocks, std::uint64_t end) {
  for (ListedBlock& block : blocks) {
    if (block.index >= end) return true;  // the next segment's
    if (fetchers_ == 0 || state_.is_here(block.index)) continue;
    ++queued_;
    if (!queue_.push(std::move(block))) return false;
  }
  return true;
}

Result<void> Acquisition::list_segment(std::uint64_t first, std::uint64_t end) {
  const auto wanted = [&](std::uint64_t block) { return fetchers_ != 0 && !state_.is_here(block); };
  std::uint64_t at = first;
  std::optional<std::string> page;
  while (at < end) {
    if (interrupted()) return interruption();
    const std::uint64_t open = state_.listing->next_open(at, end, wanted);
    if (open == end) return {};
    if (open != at) page.reset();  // a listing that begins there skips what is done
    at = open;
    if (auto token = fetchers_ != 0 ? state_.listing->token(at) : std::nullopt) {  // the plan listed it just now
      page.reset();
      ++queued_;
      if (!queue_.push({at++, std::move(*token)})) return {};
      continue;
    }
    ICECORE_ASSIGN(SnapshotListing::Page listed, state_.listing->list_page(at, page, fetchers_ == 0));
    page = std::move(listed.next_page);
    at = listed.end;
    ICECORE_ASSIGN(const bool going_on, hand_on(std::move(listed.blocks), end));
    if (!going_on) return {};
  }
  return {};
}

void Acquisition::list_worker() {
  const std::uint64_t blocks = state_.block_count();
  const std::uint64_t segments = std::max<std::uint64_t>(1, std::min(state_.options.listing_threads * kSegmentsPerLister, blocks / 20'000));
  guarded([&]() -> Result<void> {
    for (;;) {
      std::uint64_t segment = 0;
      {
        const std::scoped_lock lock(mutex_);
        if (error_ || next_segment_ == segments) return {};
        segment = next_segment_++;
      }
      ICECORE_CHECK(list_segment(blocks * segment / segments, blocks * (segment + 1) / segments));
    }
  });
  const std::scoped_lock lock(mutex_);
  if (--listers_left_ == 0) queue_.complete();
  --workers_left_;
  changed_.notify_all();
}

void Acquisition::fetch_worker() {
  guarded([&]() -> Result<void> {
    while (const auto block = queue_.pop()) {
      if (const auto failure = state_.recorder->failure()) return Failure(*failure);
      ICECORE_CHECK(state_.fetch_listed(*block));
      ++fetched_;
    }
    return {};
  });
  const std::scoped_lock lock(mutex_);
  --workers_left_;
  changed_.notify_all();
}

// The total is known once everything is listed; until then the bar has none.
void Acquisition::watch(Progress& progress) {
  bool total_known = false;
  std::uint64_t base = 0;
  progress.begin(fetchers_ == 0 ? "listing" : "listing and fetching", 0, "blocks");
  std::unique_lock lock(mutex_);
  while (workers_left_ != 0) {
    changed_.wait_for(lock, std::chrono::milliseconds(100));
    if (!error_ && interrupted()) {
      error_ = interruption().value();
      queue_.stop();
    }
    if (!total_known && listers_left_ == 0 && fetchers_ != 0) {
      total_known = true;
      base = fetched_;
      progress.end();
      progress.begin("fetching", queued_ - base, "blocks");
    }
    progress.update(fetched_ - base);
  }
  progress.end();
}

Result<void> Acquisition::run(Progress& progress) {
  const std::size_t listers = std::max<std::size_t>(1, state_.options.listing_threads);
  listers_left_ = listers;
  workers_left_ = listers + fetchers_;
  state_.acquiring = fetchers_ != 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < listers; ++i) threads.emplace_back([this] { list_worker(); });
    for (std::size_t i = 0; i < fetchers_; ++i) threads.emplace_back([this] { fetch_worker(); });
    watch(progress);
  }
  state_.acquiring = false;
  if (error_) {
    (void)state_.recorder->flush();  // what arrived is kept
    return Failure(*error_);
  }
  return state_.recorder->flush();
}

}  // namespace

Result<void> OnDemandImage::acquire_all(Progress& progress) {
  if (state_->closed) return state_->closed_failure();
  if (const auto failure = state_->recorder->failure()) return Failure(*failure);
  if (!state_->store && !this->progress().complete)
    return fail(Code::kNotFound, fmt::format("{} is not complete in this case; run the command with credentials to fetch the rest", name()));
  ICECORE_CHECK(Acquisition(*state_, std::max<std::size_t>(1, state_->options.threads)).run(progress));
  if (!this->progress().complete) return fail(Code::kInternal, fmt::format("the acquisition of {} ended before its image was complete", name()));
  return {};
}

Result<void> OnDemandImage::list_all() {
  if (state_->closed) return state_->closed_failure();
  return Acquisition(*state_, 0).run(no_progress());
}

}  // namespace icecore::image
