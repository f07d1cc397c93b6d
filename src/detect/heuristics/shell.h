// A shell line cut into commands, well enough to see what is piped into what. Not a shell: quotes are looked through, because attackers nest commands
// in them (`sh -c "curl … | sh"`), and nothing is expanded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace icecore::detect {

/// What stands before a command.
enum class Joint { kStart, kSequence, kOr, kPipe, kSubstitution, kGroup, kClose };

struct Command {
  Joint joint = Joint::kStart;
  std::vector<std::string_view> words;  ///< views into the line; quotes, commas and brackets are gone

  /// The program: past assignments, sudo, env, nohup, timeout, `then`, a leading path … Empty where there is none.
  std::string_view program() const;
  /// The words after the program.
  std::vector<std::string_view> arguments() const;
  bool has(std::string_view word) const;
};

/// At most 64 KiB of the line and 4,096 commands are looked at. The views stay good as long as `line`.
std::vector<Command> parse_commands(std::string_view line);

/// A program's name without its folder: "bash" of "/usr/bin/bash".
std::string_view base_name(std::string_view path);

struct ScriptLine {
  std::size_t number = 0;  ///< 1-based, of its first physical line
  std::size_t offset = 0;  ///< byte in the text
  std::string text;        ///< with continuation lines joined
};

/// The lines of a script, a backslash at the end joined with the next, comments and empty lines left out.
std::vector<ScriptLine> script_lines(std::string_view text);

}  // namespace icecore::detect
