#include "machine/pattern.h"

#include <cstddef>

namespace icecore::machine {
namespace {

// Matches one character of `name` with the element of `pattern` at `at`; moves `at` past the element.
bool match_one(std::string_view pattern, std::size_t& at, char c) {
  const char first = pattern[at];
  if (first == '?') {
    ++at;
    return true;
  }
  if (first == '\\' && at + 1 < pattern.size()) {
    at += 2;
    return pattern[at - 1] == c;
  }
  if (first != '[') {
    ++at;
    return first == c;
  }
  std::size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  const std::size_t begin = i;
  const std::size_t end = pattern.find(']', begin + 1);
  if (end == std::string_view::npos) {  // no class: a plain bracket
    ++at;
    return c == '[';
  }
  bool inside = false;
  const auto byte = [](char x) { return static_cast<unsigned char>(x); };
  while (i < end) {
    if (i + 2 < end && pattern[i + 1] == '-') {
      inside = inside || (byte(c) >= byte(pattern[i]) && byte(c) <= byte(pattern[i + 2]));
      i += 3;
    } else {
      inside = inside || pattern[i] == c;
      ++i;
    }
  }
  at = end + 1;
  return inside != negated;
}

}  // namespace

bool has_wildcard(std::string_view pattern) { return pattern.find_first_of("*?[\\") != std::string_view::npos; }

bool matches_pattern(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;  // where to go on after the last `*`
  std::size_t star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_name = n;
      continue;
    }
    std::size_t after = p;
    if (p < pattern.size() && match_one(pattern, after, name[n])) {
      p = after;
      ++n;
      continue;
    }
    if (star == std::string_view::npos) return false;
    p = star;
    n = ++star_name;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace icecore::machine
