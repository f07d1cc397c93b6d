#include "core/timestamp.h"

#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <thread>

#include "core/interrupt.h"

namespace icecore {
namespace {

constexpr std::int64_t kDay = 86400;

// Reads exactly `count` decimal digits from the front of `text`.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  unsigned value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::uint32_t take_fraction(std::string_view& text) {
  std::uint32_t nanoseconds = 0;
  std::uint32_t scale = 100'000'000;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    nanoseconds += scale * static_cast<std::uint32_t>(text.front() - '0');
    scale /= 10;
    text.remove_prefix(1);
  }
  return nanoseconds;
}

std::optional<std::int64_t> take_zone(std::string_view& text) {
  if (take(text, "Zz")) return 0;
  const bool negative = !text.empty() && text.front() == '-';
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  take(text, ":");
  const auto minutes = take_digits(text, 2);
  if (!hours || !minutes) return std::nullopt;
  const std::int64_t offset = static_cast<std::int64_t>(*hours) * 3600 + static_cast<std::int64_t>(*minutes) * 60;
  return negative ? -offset : offset;
}

class SystemClock final : public Clock {
 public:
  Timestamp now() const override {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
    return {ns / 1'000'000'000, static_cast<std::uint32_t>(ns % 1'000'000'000)};
  }
  void sleep_for(std::int64_t milliseconds) const override {
    // Short naps, so that Ctrl-C is answered at once.
    while (milliseconds > 0 && !interrupted()) {
      const std::int64_t nap = std::min<std::int64_t>(milliseconds, 50);
      std::this_thread::sleep_for(std::chrono::milliseconds(nap));
      milliseconds -= nap;
    }
  }
};

}  // namespace

Timestamp Timestamp::from_microseconds(std::int64_t us) {
  std::int64_t seconds = us / 1'000'000;
  std::int64_t rest = us % 1'000'000;
  if (rest < 0) {
    rest += 1'000'000;
    --seconds;
  }
  return {seconds, static_cast<std::uint32_t>(rest * 1000)};
}

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468;
}

Timestamp from_civil(std::int64_t year, unsigned month, unsigned day, unsigned hour, unsigned minute, unsigned second) {
  return {days_from_civil(year, month, day) * kDay + static_cast<std::int64_t>(hour * 3600 + minute * 60 + second), 0};
}

CivilTime to_civil(std::int64_t seconds) {
  std::int64_t days = seconds / kDay;
  std::int64_t rest = seconds % kDay;
  if (rest < 0) {
    rest += kDay;
    --days;
  }
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const auto second_of_day = static_cast<unsigned>(rest);
  return {static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0),
          month,
          day_of_year - (153 * shifted_month + 2) / 5 + 1,
          second_of_day / 3600,
          second_of_day / 60 % 60,
          second_of_day % 60};
}

std::string to_iso8601(const Timestamp& time, int fraction_digits) {
  const CivilTime t = to_civil(time.seconds);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", t.year, t.month, t.day, t.hour, t.minute, t.second);
  if (fraction_digits > 0) {
    const std::string digits = fmt::format("{:09}", time.nanoseconds);
    text += '.' + digits.substr(0, static_cast<std::size_t>(std::min(fraction_digits, 9)));
  }
  return text + 'Z';
}

Result<Timestamp> parse_iso8601(std::string_view text) {
  const std::string_view whole = text;
  const auto bad = [&] { return fail(Code::kInvalidArgument, fmt::format("'{}' is not an ISO 8601 time", whole)); };
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return bad();
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return bad();
  const auto day = take_digits(text, 2);
  if (!day || !take(text, "T ")) return bad();
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ":")) return bad();
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ":")) return bad();
  const auto second = take_digits(text, 2);
  if (!second || *month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 || *second > 60) return bad();
  const std::uint32_t nanoseconds = take(text, ".,") ? take_fraction(text) : 0;
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return bad();
  Timestamp time = from_civil(*year, *month, *day, *hour, *minute, *second);
  time.seconds -= *zone;
  time.nanoseconds = nanoseconds;
  return time;
}

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace icecore
