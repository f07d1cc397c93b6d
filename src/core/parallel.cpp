#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/interrupt.h"

namespace icecore {
namespace {

Result<void> guarded(const std::function<Result<void>(std::size_t)>& work, std::size_t index) {
  try {
    return work(index);
  } catch (const std::exception& error) {
    return fail(Code::kInternal, std::string("unexpected exception: ") + error.what());
  }
}

}  // namespace

std::size_t cpu_count() { return std::max(1U, std::thread::hardware_concurrency()); }

Result<void> parallel_for(std::size_t count, std::size_t threads, const std::function<Result<void>(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::optional<Error> first_error;
  const auto run = [&] {
    for (;;) {
      const std::size_t index = next.fetch_add(1);
      if (index >= count) return;
      Result<void> done = interrupted() ? Result<void>(interruption()) : guarded(work, index);
      if (done) continue;
      const std::scoped_lock lock(mutex);
      if (!first_error) first_error = std::move(done).error();
      next = count;
      return;
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < std::min(threads, count); ++i) helpers.emplace_back(run);
    run();
  }
  if (first_error) return Failure(std::move(*first_error));
  return {};
}

}  // namespace icecore
