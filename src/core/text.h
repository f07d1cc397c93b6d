// Text from evidence is hostile: names and log lines may hold terminal escapes, newlines and invalid UTF-8.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace icecore {

/// Safe to print on a terminal and to keep on one line: control characters (C0, DEL, C1), bidirectional overrides and invalid UTF-8 become `\xNN`
/// (bytes), a backslash becomes `\\`. Reversible, so that two different names never print alike.
std::string printable(std::string_view text);

/// Valid UTF-8 for JSON: invalid bytes become `\xNN` as text; control characters stay (the JSON writer escapes them).
std::string valid_utf8(std::string_view text);

bool is_valid_utf8(std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);
/// Splits at runs of spaces and tabs; no empty fields.
std::vector<std::string_view> split_fields(std::string_view text);
/// Splits at '\n' and drops the last empty piece; a trailing '\r' stays.
std::vector<std::string_view> split_lines(std::string_view text);
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);

/// `1.5 GiB`.
std::string human_size(std::uint64_t bytes);

}  // namespace icecore
