// A point in time as disks and logs record it: seconds since 1970 (UTC) and nanoseconds. 64-bit nanoseconds alone would end in 2262; ext4 goes to
// 2446 and XFS bigtime to 2486.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace icecore {

struct Timestamp {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;  ///< 0 … 999,999,999, always counted forward, also before 1970

  auto operator<=>(const Timestamp&) const = default;

  std::int64_t microseconds() const { return seconds * 1'000'000 + nanoseconds / 1000; }
  static Timestamp from_microseconds(std::int64_t us);
};

/// `2026-11-24T08:43:26.123456789Z`; digits 0, 3, 6 or 9 of the fraction.
std::string to_iso8601(const Timestamp& time, int fraction_digits = 9);

/// Accepts `2026-11-24T08:43:26[.fraction](Z|±hh:mm|±hhmm)`, 'T' or a space.
Result<Timestamp> parse_iso8601(std::string_view text);

/// Days from civil and back (proleptic Gregorian), for parsers of log formats. Month 1–12, day 1–31.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day);
Timestamp from_civil(std::int64_t year, unsigned month, unsigned day, unsigned hour, unsigned minute, unsigned second);

struct CivilTime {
  std::int64_t year;
  unsigned month, day, hour, minute, second;
};
CivilTime to_civil(std::int64_t seconds);

/// The clock is a value passed in, so that signing, waiting and labels can be tested. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
  /// Sleeps; returns early when the run is interrupted (core/interrupt.h).
  virtual void sleep_for(std::int64_t milliseconds) const = 0;
};

const Clock& system_clock();

}  // namespace icecore
