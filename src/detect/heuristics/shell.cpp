#include "detect/heuristics/shell.h"

#include <algorithm>
#include <array>

#include "core/text.h"

namespace icecore::detect {
namespace {

constexpr std::size_t kLongestLine = std::size_t{64} << 10;
constexpr std::size_t kMostCommands = 4096;

bool is_blank(char c) { return std::string_view(" \t\r\n\"',[]{}").find(c) != std::string_view::npos; }

bool is_assignment(std::string_view word) {
  const std::size_t equals = word.find('=');
  return equals != 0 && equals != std::string_view::npos && std::ranges::all_of(word.substr(0, equals), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

// Programs that only start another one. Those in the second list take an argument of their own before it.
bool is_wrapper(std::string_view name) {
  static constexpr std::array<std::string_view, 22> kWrappers = {"sudo",   "doas",   "env",     "nohup", "time",    "exec",  "command", "nice",
                                                                 "setsid", "ionice", "builtin", "then",  "do",      "else",  "if",      "while",
                                                                 "until",  "!",      "+",       "++",    "busybox", "stdbuf"};
  return std::ranges::find(kWrappers, name) != kWrappers.end();
}

bool takes_value(std::string_view wrapper, std::string_view option) {
  if (wrapper == "sudo" || wrapper == "doas") return option == "-u" || option == "-g" || option == "-h" || option == "-p" || option == "-C";
  if (wrapper == "nice" || wrapper == "ionice") return option == "-n" || option == "-c";
  if (wrapper == "env") return option == "-u" || option == "-C";
  return false;
}

std::size_t program_index(const std::vector<std::string_view>& words) {
  std::size_t i = 0;
  std::string_view wrapper;
  while (i < words.size()) {
    const std::string_view word = words[i];
    const std::string_view name = base_name(word);
    if (!wrapper.empty() && word.starts_with('-')) {
      i += takes_value(wrapper, word) ? std::size_t{2} : std::size_t{1};
    } else if (name == "timeout" && i + 1 < words.size()) {
      ++i;
      while (i < words.size() && words[i].starts_with('-')) i += words[i] == "-s" || words[i] == "-k" ? std::size_t{2} : std::size_t{1};
      ++i;  // the duration
    } else if (is_wrapper(name) || is_assignment(word)) {
      if (is_wrapper(name)) wrapper = name;
      ++i;
    } else {
      return i;
    }
  }
  return words.size();
}

struct Separator {
  Joint joint = Joint::kStart;
  std::size_t length = 0;
};

Separator separator_at(std::string_view text, std::size_t at) {
  const char c = text[at];
  const char next = at + 1 < text.size() ? text[at + 1] : '\0';
  switch (c) {
    case '|':
      if (next == '|') return {Joint::kOr, 2};
      return {Joint::kPipe, next == '&' ? std::size_t{2} : std::size_t{1}};
    case '&':
      if (next == '>') return {};                                             // "&> file" is a redirection
      if (at > 0 && (text[at - 1] == '>' || text[at - 1] == '<')) return {};  // so is "2>&1"
      return {Joint::kSequence, next == '&' ? std::size_t{2} : std::size_t{1}};
    case ';':
    case '\n': return {Joint::kSequence, 1};
    case '$':
      if (next == '(') return {Joint::kSubstitution, 2};
      return {};
    case '<':
      if (next == '(') return {Joint::kSubstitution, 2};
      return {};
    case '`': return {Joint::kSubstitution, 1};
    case '(': return {Joint::kGroup, 1};
    case ')': return {Joint::kClose, 1};
    default: return {};
  }
}

}  // namespace

std::string_view base_name(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

std::string_view Command::program() const {
  const std::size_t i = program_index(words);
  return i < words.size() ? base_name(words[i]) : std::string_view();
}

std::vector<std::string_view> Command::arguments() const {
  const std::size_t i = program_index(words);
  if (i >= words.size()) return {};
  return {words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end()};
}

bool Command::has(std::string_view word) const { return std::ranges::find(words, word) != words.end(); }

std::vector<Command> parse_commands(std::string_view line) {
  line = line.substr(0, kLongestLine);
  std::vector<Command> commands(1);
  std::size_t word = std::string_view::npos;
  const auto end_word = [&](std::size_t end) {
    if (word != std::string_view::npos) commands.back().words.push_back(line.substr(word, end - word));
    word = std::string_view::npos;
  };
  for (std::size_t i = 0; i < line.size();) {
    // "${" is a variable, not the end of a word.
    if (line[i] == '$' && i + 1 < line.size() && line[i + 1] == '{') {
      if (word == std::string_view::npos) word = i;
      i = std::min(line.find('}', i), line.size() - 1) + 1;
      continue;
    }
    const Separator separator = separator_at(line, i);
    if (separator.length != 0) {
      end_word(i);
      if (commands.size() >= kMostCommands) return commands;
      commands.push_back({separator.joint, {}});
      i += separator.length;
      continue;
    }
    if (is_blank(line[i])) {
      end_word(i);
    } else if (word == std::string_view::npos) {
      word = i;
    }
    ++i;
  }
  end_word(line.size());
  return commands;
}

std::vector<ScriptLine> script_lines(std::string_view text) {
  std::vector<ScriptLine> lines;
  std::size_t number = 0;
  std::size_t offset = 0;
  bool joining = false;
  for (const std::string_view raw : split(text, '\n')) {
    ++number;
    std::string_view line = raw;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool joins_next = line.ends_with('\\') && !line.ends_with("\\\\");
    if (joins_next) line.remove_suffix(1);
    const std::string_view bare = trim(line);
    if (joining && lines.back().text.size() < kLongestLine) {
      lines.back().text += ' ';
      lines.back().text += bare;
    } else if (!joining && !bare.empty() && !bare.starts_with('#')) {
      lines.push_back({number, offset, std::string(bare.substr(0, kLongestLine))});
    }
    joining = joins_next && !lines.empty() && (joining || !bare.starts_with('#'));
    offset += raw.size() + 1;
  }
  return lines;
}

}  // namespace icecore::detect
