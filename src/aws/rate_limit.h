// A token bucket shared by all threads that call one API. It is open until AWS throttles; then it settles below the rate that was refused and climbs
// back, as botocore's "adaptive" mode does.
#pragma once

#include <cstdint>
#include <mutex>

namespace icecore::aws {

class RateLimit {
 public:
  /// `calls_per_second` 0: no limit until throttled; otherwise never faster than that.
  explicit RateLimit(double calls_per_second) : ceiling_(calls_per_second), rate_(calls_per_second) {}

  /// Takes a place in line: milliseconds to wait before sending. Thread-safe.
  std::int64_t reserve(std::int64_t now_ms);
  /// The service refused a call as too fast. Many refusals of one moment count once.
  void throttled(std::int64_t now_ms);
  /// Calls a second allowed now; 0: no limit.
  double rate() const;

 private:
  void recover(std::int64_t now_ms);
  void measure(std::int64_t now_ms);
  void start_window(std::int64_t now_ms);

  mutable std::mutex mutex_;
  double ceiling_;
  double rate_;
  double measured_ = 0;      ///< calls served a second in the last full window
  double refused_rate_ = 0;  ///< what we were at when refused
  double next_slot_ms_ = 0;
  std::int64_t window_start_ms_ = 0, window_calls_ = 0, window_refused_ = 0, last_cut_ms_ = -1'000'000, last_growth_ms_ = 0;
};

}  // namespace icecore::aws
