#include "core/result.h"

#include <fmt/format.h>
#include <array>

namespace icecore {

std::string_view code_name(Code code) {
  static constexpr std::array<std::string_view, 14> kNames = {"invalid-argument", "not-found", "permission",  "credentials", "network", "remote",
                                                              "corrupt",          "integrity", "unsupported", "io",          "busy",    "conflict",
                                                              "interrupted",      "internal"};
  return kNames.at(static_cast<std::size_t>(code));
}

std::string to_string(const Location& where) {
  std::string text = where.source;
  if (where.offset) text += fmt::format("{}byte {}", text.empty() ? "" : ", ", *where.offset);
  if (where.inode) text += fmt::format("{}inode {}", text.empty() ? "" : ", ", *where.inode);
  if (!where.path.empty()) text += fmt::format("{}{}", text.empty() ? "" : ", ", where.path);
  return text;
}

std::string to_string(const Error& error) {
  std::string text = error.message;
  if (error.where) text += fmt::format(" ({})", to_string(*error.where));
  for (auto cause = error.cause; cause; cause = cause->cause) text += ": " + cause->message;
  return text;
}

}  // namespace icecore
