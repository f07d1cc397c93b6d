// The machine's local time, from its own /etc/localtime: logs without an offset are in it. TZif: RFC 8536; the rule after the last transition: POSIX
// TZ.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/timestamp.h"

namespace icecore::machine {

/// Daylight saving by rule: "CET-1CEST,M3.5.0,M10.5.0/3".
struct PosixRule {
  struct Change {
    enum class Kind { kJulianNoLeap, kZeroBased, kMonthWeekDay } kind = Kind::kMonthWeekDay;
    unsigned month = 1, week = 1, day = 0;
    std::int32_t time = 7200;  ///< seconds after local midnight
  };
  std::int32_t standard_offset = 0;  ///< seconds east of UTC
  std::int32_t daylight_offset = 0;
  std::optional<Change> starts, ends;  ///< absent: no daylight saving

  static Result<PosixRule> parse(std::string_view text);
  std::int32_t offset_at(std::int64_t utc_seconds) const;
};

/// A value; UTC when default-made. Const functions are thread-safe.
class TimeZone {
 public:
  TimeZone() = default;
  /// kCorrupt where it is no TZif file.
  static Result<TimeZone> parse(ByteView tzif);

  /// Seconds east of UTC at that moment.
  std::int32_t offset_at(std::int64_t utc_seconds) const;
  /// UTC of a wall-clock time given as seconds since 1970 by that clock. In the hour that comes twice, the first; in the hour that is skipped, as if
  /// the change had not come yet.
  std::int64_t to_utc(std::int64_t local_seconds) const;

 private:
  struct Transition {
    std::int64_t at;
    std::int32_t offset;
  };
  std::int32_t first_offset_ = 0;
  std::vector<Transition> transitions_;
  std::optional<PosixRule> rule_;
};

}  // namespace icecore::machine
