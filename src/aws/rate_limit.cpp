#include "aws/rate_limit.h"

#include <algorithm>

namespace icecore::aws {
namespace {

constexpr double kCut = 0.7;                 ///< botocore's CUBIC beta
constexpr double kLeast = 0.5;               ///< calls a second, so that work goes on
constexpr std::int64_t kWindowMs = 500;      ///< over which our own rate is measured
constexpr std::int64_t kSameMomentMs = 500;  ///< refusals of calls that were in flight together
constexpr double kGrowthPerSecond = 0.08;    ///< of the refused rate
constexpr double kOpenAgain = 3.0;           ///< at this multiple of the refused rate the limit is lifted

}  // namespace

std::int64_t RateLimit::reserve(std::int64_t now_ms) {
  const std::scoped_lock lock(mutex_);
  measure(now_ms);
  recover(now_ms);
  if (rate_ <= 0) return 0;
  const double now = static_cast<double>(now_ms);
  // A quarter of a second of unused places may be used at once, so that a pause does not lower the throughput; a fixed pace has no burst.
  const double credit = ceiling_ > 0 ? 0 : 250;
  const double slot = std::max(next_slot_ms_, now - credit);
  next_slot_ms_ = slot + 1000.0 / rate_;
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(slot - now + 0.999));
}

void RateLimit::throttled(std::int64_t now_ms) {
  const std::scoped_lock lock(mutex_);
  ++window_refused_;
  if (now_ms - last_cut_ms_ < kSameMomentMs) return;
  // What was served, not what was sent: refused calls say nothing of the service's rate.
  const double elapsed_s = static_cast<double>(std::max<std::int64_t>(now_ms - window_start_ms_, 100)) / 1000.0;
  const double served = std::max(elapsed_s < 0.2 ? measured_ : 0.0, static_cast<double>(window_calls_ - window_refused_) / elapsed_s);
  refused_rate_ = std::max(kLeast, rate_ > 0 ? std::min(rate_, served) : served);
  rate_ = std::max(kLeast, refused_rate_ * kCut);
  if (ceiling_ > 0) rate_ = std::min(rate_, ceiling_);
  last_cut_ms_ = last_growth_ms_ = now_ms;
  next_slot_ms_ = static_cast<double>(now_ms);
  start_window(now_ms);
}

void RateLimit::start_window(std::int64_t now_ms) {
  window_start_ms_ = now_ms;
  window_calls_ = window_refused_ = 0;
}

double RateLimit::rate() const {
  const std::scoped_lock lock(mutex_);
  return rate_;
}

void RateLimit::measure(std::int64_t now_ms) {
  if (now_ms - window_start_ms_ >= kWindowMs) {
    const bool adjoining = now_ms - window_start_ms_ < 4 * kWindowMs;
    const double served = static_cast<double>(window_calls_ - window_refused_);
    measured_ = adjoining ? served * 1000.0 / static_cast<double>(now_ms - window_start_ms_) : 0;
    start_window(now_ms);
  }
  ++window_calls_;
}

void RateLimit::recover(std::int64_t now_ms) {
  if (refused_rate_ <= 0 || now_ms <= last_growth_ms_) return;
  const double seconds = static_cast<double>(now_ms - last_growth_ms_) / 1000.0;
  last_growth_ms_ = now_ms;
  rate_ += std::max(refused_rate_, 1.0) * kGrowthPerSecond * seconds;
  if (ceiling_ > 0 && rate_ >= ceiling_) {
    rate_ = ceiling_;
    refused_rate_ = 0;
  } else if (ceiling_ <= 0 && rate_ > std::max(refused_rate_, 1.0) * kOpenAgain) {
    rate_ = 0;
    refused_rate_ = 0;
  }
}

}  // namespace icecore::aws
