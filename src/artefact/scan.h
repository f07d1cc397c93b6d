// Small steps through a line of text.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

#include "artefact/event.h"

namespace icecore::artefact {

/// The whole of `text` as a decimal number.
template <std::integral T>
std::optional<T> parse_number(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Seconds since 1970 as a shell or a kernel writes them; nothing past the year 9999, which no clock showed.
inline std::optional<Timestamp> parse_epoch(std::string_view text) {
  const auto seconds = parse_number<std::int64_t>(text);
  if (!seconds || *seconds < 0 || *seconds > 253'402'300'799) return std::nullopt;
  return Timestamp{*seconds, 0};
}

inline bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// What stands before `separator`, which is taken too; all of it where there is none.
inline std::string_view take_until(std::string_view& text, std::string_view separator) {
  const std::size_t at = text.find(separator);
  const std::string_view piece = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + separator.size());
  return piece;
}

/// 1–12 for "Jan" … "Dec", else 0.
inline unsigned month_of(std::string_view name) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (unsigned i = 0; i < kMonths.size(); ++i)
    if (kMonths[i] == name) return i + 1;
  return 0;
}

struct ClockTime {
  unsigned hour = 0, minute = 0, second = 0;
};
/// "08:43:26"; a second of 60 is let through.
inline std::optional<ClockTime> parse_clock(std::string_view text) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const auto hour = parse_number<unsigned>(text.substr(0, 2));
  const auto minute = parse_number<unsigned>(text.substr(3, 2));
  const auto second = parse_number<unsigned>(text.substr(6, 2));
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return ClockTime{*hour, *minute, *second};
}

inline Event make_event(Timestamp time, std::string_view description, std::string_view data_type, std::string message, Provenance where) {
  Event event;
  event.time = time;
  event.description = std::string(description);
  event.data_type = std::string(data_type);
  event.message = std::move(message);
  event.where = std::move(where);
  return event;
}

/// Sets a field, but not to nothing.
inline void put(Event& event, std::string_view name, std::string_view value) {
  if (!value.empty()) event.fields.insert_or_assign(std::string(name), std::string(value));
}

constexpr std::string_view kNoLater = "Content Modification Time";  // for what a file holds without a time of its own

}  // namespace icecore::artefact
