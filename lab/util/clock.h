// The lab's clock: the real one, plus a skew that a fault may ask for. And the ways AWS writes a time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace icelab {

using Millis = std::int64_t;  // since 1970-01-01 UTC

class Clock {
 public:
  Millis now() const {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count() + skew_.load();
  }
  void set_skew(Millis skew) { skew_ = skew; }

 private:
  std::atomic<Millis> skew_{0};
};

std::string iso8601(Millis time);    // 2026-11-24T08:43:26.123Z
std::string amz_date(Millis time);   // 20261124T084326Z
std::string http_date(Millis time);  // Tue, 24 Nov 2026 08:43:26 GMT

// Accepts fractions of any length and "Z" or a numeric offset; keeps milliseconds.
std::optional<Millis> parse_iso8601(std::string_view text);
std::optional<Millis> parse_amz_date(std::string_view text);

}  // namespace icelab
