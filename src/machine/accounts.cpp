#include "machine/accounts.h"

#include <charconv>

#include "core/text.h"

namespace icecore::machine {
namespace {

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Calls with each line's number, offset and its fields between colons.
template <typename Visit>
void each_line(std::string_view text, Visit visit) {
  std::uint64_t number = 0;
  for (const std::string_view line : split_lines(text)) {
    ++number;
    if (!line.empty() && line.front() != '#') visit(number, static_cast<std::uint64_t>(line.data() - text.data()), split(line, ':'));
  }
}

Password password_of(std::string_view hash) {
  if (hash.empty()) return Password::kNone;
  if (hash.front() == '!' || hash.front() == '*') return Password::kLocked;
  return Password::kSet;
}

}  // namespace

std::vector<PasswdEntry> parse_passwd(std::string_view text) {
  std::vector<PasswdEntry> entries;
  each_line(text, [&](std::uint64_t line, std::uint64_t offset, const std::vector<std::string_view>& fields) {
    if (fields.size() < 7) return;
    const auto uid = number_of<std::uint32_t>(fields[2]);
    const auto gid = number_of<std::uint32_t>(fields[3]);
    if (!uid || !gid) return;
    entries.push_back({line, offset, std::string(fields[0]), std::string(fields[1]), std::string(fields[4]), std::string(fields[5]),
                       std::string(fields[6]), *uid, *gid});
  });
  return entries;
}

std::vector<ShadowEntry> parse_shadow(std::string_view text) {
  std::vector<ShadowEntry> entries;
  each_line(text, [&](std::uint64_t line, std::uint64_t offset, const std::vector<std::string_view>& fields) {
    if (fields.size() < 3) return;
    entries.push_back({line, offset, std::string(fields[0]), std::string(fields[1]), password_of(fields[1]), number_of<std::int64_t>(fields[2])});
  });
  return entries;
}

std::vector<GroupEntry> parse_group(std::string_view text) {
  std::vector<GroupEntry> entries;
  each_line(text, [&](std::uint64_t line, std::uint64_t offset, const std::vector<std::string_view>& fields) {
    if (fields.size() < 4) return;
    const auto gid = number_of<std::uint32_t>(fields[2]);
    if (!gid) return;
    GroupEntry entry{line, offset, std::string(fields[0]), *gid, {}};
    for (const std::string_view member : split(fields[3], ','))
      if (!trim(member).empty()) entry.members.emplace_back(trim(member));
    entries.push_back(std::move(entry));
  });
  return entries;
}

}  // namespace icecore::machine
