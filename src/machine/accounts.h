// passwd(5), shadow(5), group(5): bytes → records. Hostile text: a line that does not parse is left out and counted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::machine {

enum class Password {
  kUnknown,  ///< no shadow entry was seen
  kNone,     ///< empty: logs in without one
  kLocked,   ///< "!", "*", or a hash behind "!"
  kSet,      ///< a hash
};

struct PasswdEntry {
  std::uint64_t line = 0;    ///< 1-based
  std::uint64_t offset = 0;  ///< byte of the line
  std::string name, password, gecos, home, shell;
  std::uint32_t uid = 0, gid = 0;
};

struct ShadowEntry {
  std::uint64_t line = 0;
  std::uint64_t offset = 0;
  std::string name, hash;
  Password password = Password::kUnknown;
  std::optional<std::int64_t> changed_day;  ///< days since 1970
};

struct GroupEntry {
  std::uint64_t line = 0;
  std::uint64_t offset = 0;
  std::string name;
  std::uint32_t gid = 0;
  std::vector<std::string> members;
};

std::vector<PasswdEntry> parse_passwd(std::string_view text);
std::vector<ShadowEntry> parse_shadow(std::string_view text);
std::vector<GroupEntry> parse_group(std::string_view text);

}  // namespace icecore::machine
