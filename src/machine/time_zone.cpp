#include "machine/time_zone.h"

#include <algorithm>

#include "core/bytes.h"

namespace icecore::machine {
namespace {

constexpr std::size_t kMostTransitions = 10'000;

struct Header {
  std::uint8_t version;
  std::uint32_t utc_count, standard_count, leap_count, time_count, type_count, char_count;
  std::size_t block_size(std::size_t time_size) const {
    return std::size_t{time_count} * (time_size + 1) + std::size_t{type_count} * 6 + char_count + std::size_t{leap_count} * (time_size + 4) +
           standard_count + utc_count;
  }
};

// RFC 8536, 3.1.
Result<Header> read_header(Cursor& cursor) {
  ICECORE_ASSIGN(const ByteView magic, cursor.take(4));
  if (as_text(magic) != "TZif") return fail(Code::kCorrupt, "not a TZif file", cursor.where());
  ICECORE_ASSIGN(const ByteView rest, cursor.take(40));
  return Header{std::to_integer<std::uint8_t>(rest[0]), load_be<std::uint32_t>(rest, 16), load_be<std::uint32_t>(rest, 20),
                load_be<std::uint32_t>(rest, 24),       load_be<std::uint32_t>(rest, 28), load_be<std::uint32_t>(rest, 32),
                load_be<std::uint32_t>(rest, 36)};
}

std::int64_t load_time(ByteView view, std::size_t offset, std::size_t size) {
  if (size == 8) return static_cast<std::int64_t>(load_be<std::uint64_t>(view, offset));
  return static_cast<std::int32_t>(load_be<std::uint32_t>(view, offset));
}

}  // namespace

Result<TimeZone> TimeZone::parse(ByteView tzif) {
  Cursor cursor(tzif, Location{"TZif"});
  ICECORE_ASSIGN(Header header, read_header(cursor));
  std::size_t time_size = 4;
  if (header.version >= '2') {  // the 64-bit block follows the 32-bit one
    ICECORE_CHECK(cursor.skip(header.block_size(4)));
    ICECORE_ASSIGN(header, read_header(cursor));
    time_size = 8;
  }
  if (header.type_count == 0 || header.time_count > kMostTransitions) return fail(Code::kCorrupt, "TZif counts that make no sense", cursor.where());
  ICECORE_ASSIGN(const ByteView times, cursor.take(std::size_t{header.time_count} * time_size));
  ICECORE_ASSIGN(const ByteView indexes, cursor.take(header.time_count));
  ICECORE_ASSIGN(const ByteView types, cursor.take(std::size_t{header.type_count} * 6));
  const auto offset_of = [&](std::size_t type) { return static_cast<std::int32_t>(load_be<std::uint32_t>(types, type * 6)); };
  TimeZone zone;
  zone.first_offset_ = offset_of(0);
  for (std::size_t i = 0; i < header.time_count; ++i) {
    const auto type = std::to_integer<std::size_t>(indexes[i]);
    if (type >= header.type_count) return fail(Code::kCorrupt, "TZif transition to a type that is not there", cursor.where());
    zone.transitions_.push_back({load_time(times, i * time_size, time_size), offset_of(type)});
  }
  if (!std::ranges::is_sorted(zone.transitions_, {}, &Transition::at)) return fail(Code::kCorrupt, "TZif transitions out of order", cursor.where());
  ICECORE_CHECK(cursor.skip(header.char_count + std::size_t{header.leap_count} * (time_size + 4) + header.standard_count + header.utc_count));
  if (time_size == 8 && cursor.remaining() > 2) {
    ICECORE_ASSIGN(const ByteView footer, cursor.take(cursor.remaining()));
    const std::string_view text = as_text(footer).substr(1);
    auto rule = PosixRule::parse(text.substr(0, text.find('\n')));
    if (rule) zone.rule_ = *rule;
  }
  return zone;
}

std::int32_t TimeZone::offset_at(std::int64_t utc_seconds) const {
  const auto after = std::ranges::upper_bound(transitions_, utc_seconds, {}, &Transition::at);
  if (after == transitions_.end() && rule_) return rule_->offset_at(utc_seconds);
  return after == transitions_.begin() ? first_offset_ : std::prev(after)->offset;
}

std::int64_t TimeZone::to_utc(std::int64_t local_seconds) const {
  // Offsets before and after any change nearby; zones lie within 26 hours of UTC.
  constexpr std::int64_t kDay = 26 * 3600;
  const std::int64_t before = local_seconds - offset_at(local_seconds - kDay);
  if (before + offset_at(before) == local_seconds) return before;
  const std::int64_t after = local_seconds - offset_at(local_seconds + kDay);
  if (after + offset_at(after) == local_seconds) return after;
  return before;
}

}  // namespace icecore::machine
