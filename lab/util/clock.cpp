#include "util/clock.h"

#include <fmt/format.h>

#include <array>
#include <cctype>

namespace icelab {
namespace {

constexpr Millis kDay = 86'400'000;

struct Civil {
  int year, month, day, hour, minute, second, millisecond, weekday;
};

// Days from 1970-01-01: H. Hinnant's days_from_civil, which <chrono> has, but g++ 12's cannot parse text.
Civil civil_from(Millis time) {
  namespace ch = std::chrono;
  const ch::sys_days days{ch::days{(time >= 0 ? time : time - kDay + 1) / kDay}};
  const ch::year_month_day date{days};
  const Millis in_day = time - days.time_since_epoch().count() * kDay;
  return {int(date.year()),
          static_cast<int>(unsigned(date.month())),
          static_cast<int>(unsigned(date.day())),
          static_cast<int>(in_day / 3'600'000),
          static_cast<int>(in_day / 60'000 % 60),
          static_cast<int>(in_day / 1'000 % 60),
          static_cast<int>(in_day % 1'000),
          static_cast<int>(ch::weekday{days}.c_encoding())};
}

std::optional<Millis> to_millis(int year, int month, int day, int hour, int minute, int second) {
  namespace ch = std::chrono;
  const ch::year_month_day date{ch::year{year}, ch::month{static_cast<unsigned>(month)}, ch::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return ch::sys_days{date}.time_since_epoch().count() * kDay + hour * 3'600'000LL + minute * 60'000LL + second * 1'000LL;
}

// Reads exactly `digits` digits at `at`.
std::optional<int> number_at(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, digits)) {
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::string iso8601(Millis time) {
  const Civil c = civil_from(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour, c.minute, c.second, c.millisecond);
}

std::string amz_date(Millis time) {
  const Civil c = civil_from(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::string http_date(Millis time) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Civil c = civil_from(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays.at(static_cast<std::size_t>(c.weekday)), c.day,
                     kMonths.at(static_cast<std::size_t>(c.month - 1)), c.year, c.hour, c.minute, c.second);
}

std::optional<Millis> parse_iso8601(std::string_view text) {
  const auto year = number_at(text, 0, 4), month = number_at(text, 5, 2), day = number_at(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  if (text.size() == 10) return to_millis(*year, *month, *day, 0, 0, 0);
  const auto hour = number_at(text, 11, 2), minute = number_at(text, 14, 2), second = number_at(text, 17, 2);
  if (!hour || !minute || !second || (text[10] != 'T' && text[10] != ' ')) return std::nullopt;
  auto time = to_millis(*year, *month, *day, *hour, *minute, *second);
  if (!time) return std::nullopt;
  std::size_t at = 19;
  if (at < text.size() && text[at] == '.') {
    Millis scale = 100;
    for (++at; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0; ++at, scale /= 10) *time += (text[at] - '0') * scale;
  }
  const std::string_view zone = text.substr(at);
  if (zone.empty() || zone == "Z") return time;
  const auto zone_hour = number_at(zone, 1, 2);
  const auto zone_minute = number_at(zone, zone.size() == 6 ? 4 : 3, 2);
  if (!zone_hour || !zone_minute || (zone[0] != '+' && zone[0] != '-')) return std::nullopt;
  const Millis offset = *zone_hour * 3'600'000LL + *zone_minute * 60'000LL;
  return zone[0] == '+' ? *time - offset : *time + offset;
}

std::optional<Millis> parse_amz_date(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const auto year = number_at(text, 0, 4), month = number_at(text, 4, 2), day = number_at(text, 6, 2);
  const auto hour = number_at(text, 9, 2), minute = number_at(text, 11, 2), second = number_at(text, 13, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  return to_millis(*year, *month, *day, *hour, *minute, *second);
}

}  // namespace icelab
