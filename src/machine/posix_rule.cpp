// POSIX.1-2017, 8.3 (TZ), with RFC 8536's wider range of hours.

#include "machine/time_zone.h"

namespace icecore::machine {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.empty(); }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool name() {
    const bool quoted = take('<');
    const auto part = [&](char c) { return quoted ? c != '>' : (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    std::size_t count = 0;
    while (count < text_.size() && part(text_[count])) ++count;
    text_.remove_prefix(count);
    return count >= 3 && (!quoted || take('>'));
  }
  std::optional<unsigned> number() {
    unsigned value = 0;
    std::size_t count = 0;
    for (; count < text_.size() && count < 4 && text_[count] >= '0' && text_[count] <= '9'; ++count)
      value = value * 10 + static_cast<unsigned>(text_[count] - '0');
    text_.remove_prefix(count);
    return count == 0 ? std::nullopt : std::optional(value);
  }
  // [+-]hh[:mm[:ss]] in seconds.
  std::optional<std::int32_t> time() {
    const bool negative = take('-');
    if (!negative) take('+');
    const auto hours = number();
    if (!hours || *hours > 167) return std::nullopt;
    std::int32_t seconds = static_cast<std::int32_t>(*hours) * 3600;
    for (const std::int32_t unit : {60, 1}) {
      if (!take(':')) break;
      const auto part = number();
      if (!part || *part > 59) return std::nullopt;
      seconds += static_cast<std::int32_t>(*part) * unit;
    }
    return negative ? -seconds : seconds;
  }

 private:
  std::string_view text_;
};

std::optional<PosixRule::Change> read_change(Reader& reader) {
  using Kind = PosixRule::Change::Kind;
  PosixRule::Change change;
  if (reader.take('M')) {
    const auto month = reader.number();
    if (!month || !reader.take('.')) return std::nullopt;
    const auto week = reader.number();
    if (!week || !reader.take('.')) return std::nullopt;
    const auto day = reader.number();
    if (!day || *month < 1 || *month > 12 || *week < 1 || *week > 5 || *day > 6) return std::nullopt;
    change.month = *month;
    change.week = *week;
    change.day = *day;
  } else {
    change.kind = reader.take('J') ? Kind::kJulianNoLeap : Kind::kZeroBased;
    const auto day = reader.number();
    if (!day || *day > 365) return std::nullopt;
    change.day = *day;
  }
  if (reader.take('/')) {
    const auto time = reader.time();
    if (!time) return std::nullopt;
    change.time = *time;
  }
  return change;
}

// Local wall-clock seconds since 1970 of a change in a year.
std::int64_t change_in(const PosixRule::Change& change, std::int64_t year) {
  using Kind = PosixRule::Change::Kind;
  std::int64_t day = 0;
  if (change.kind == Kind::kMonthWeekDay) {
    const std::int64_t first = days_from_civil(year, change.month, 1);
    const std::int64_t weekday = ((first % 7) + 11) % 7;  // 1970-01-01 was a Thursday (4)
    day = first + (static_cast<std::int64_t>(change.day) - weekday + 7) % 7 + 7 * (static_cast<std::int64_t>(change.week) - 1);
    const std::int64_t next_month = change.month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, change.month + 1, 1);
    while (day >= next_month) day -= 7;  // week 5 is the last one
  } else {
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    day = days_from_civil(year, 1, 1) + change.day;
    if (change.kind == Kind::kJulianNoLeap && !(leap && change.day >= 60)) --day;
  }
  return day * 86400 + change.time;
}

}  // namespace

Result<PosixRule> PosixRule::parse(std::string_view text) {
  const auto bad = [&] { return fail(Code::kCorrupt, "not a POSIX time zone rule"); };
  Reader reader(text);
  PosixRule rule;
  if (!reader.name()) return bad();
  const auto standard = reader.time();
  if (!standard) return bad();
  rule.standard_offset = -*standard;  // POSIX counts west of Greenwich
  rule.daylight_offset = rule.standard_offset + 3600;
  if (reader.at_end()) return rule;
  if (!reader.name()) return bad();
  if (!reader.take(',')) {
    const auto daylight = reader.time();
    if (!daylight || !reader.take(',')) return bad();
    rule.daylight_offset = -*daylight;
  }
  rule.starts = read_change(reader);
  if (!rule.starts || !reader.take(',')) return bad();
  rule.ends = read_change(reader);
  if (!rule.ends || !reader.at_end()) return bad();
  return rule;
}

std::int32_t PosixRule::offset_at(std::int64_t utc_seconds) const {
  if (!starts || !ends) return standard_offset;
  const std::int64_t year = to_civil(utc_seconds + standard_offset).year;
  const std::int64_t begin = change_in(*starts, year) - standard_offset;
  const std::int64_t end = change_in(*ends, year) - daylight_offset;
  const bool daylight = begin < end ? utc_seconds >= begin && utc_seconds < end : utc_seconds >= begin || utc_seconds < end;
  return daylight ? daylight_offset : standard_offset;
}

}  // namespace icecore::machine
