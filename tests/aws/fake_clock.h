// A clock that moves only when it is told to, or slept on.
#pragma once

#include <atomic>

#include "core/timestamp.h"

namespace icecore::aws::test_support {

class FakeClock : public Clock {
 public:
  Timestamp now() const override {
    const std::int64_t ms = milliseconds_.load();
    return {ms / 1000, static_cast<std::uint32_t>(ms % 1000) * 1'000'000};
  }
  void sleep_for(std::int64_t milliseconds) const override {
    milliseconds_ += milliseconds;
    slept_ += milliseconds;
  }
  void advance_seconds(std::int64_t seconds) { milliseconds_ += seconds * 1000; }
  /// Milliseconds since an arbitrary start: the stopwatch that belongs to this clock.
  std::int64_t milliseconds() const { return milliseconds_.load(); }
  std::int64_t slept() const { return slept_.load(); }

 private:
  mutable std::atomic<std::int64_t> milliseconds_{1'795'509'806'000};  // 2026-11-24T08:43:26Z
  mutable std::atomic<std::int64_t> slept_{0};
};

}  // namespace icecore::aws::test_support
