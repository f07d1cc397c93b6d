#include "artefact/sudoers.h"

#include <algorithm>
#include <set>

#include "artefact/scan.h"
#include "core/text.h"

namespace icecore::artefact {
namespace {

constexpr std::size_t kMostFiles = 256;

struct Joined {
  std::string text;
  std::uint64_t line = 0, offset = 0;
};

// Lines joined where they end in a backslash.
std::vector<Joined> joined_lines(std::string_view text) {
  std::vector<Joined> lines;
  bool open = false;
  std::uint64_t number = 0;
  for (std::string_view line : split_lines(text)) {
    ++number;
    const auto offset = static_cast<std::uint64_t>(line.data() - text.data());
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool more = line.ends_with('\\');
    if (more) line.remove_suffix(1);
    if (!open) lines.push_back({{}, number, offset});
    lines.back().text += line;
    open = more;
  }
  return lines;
}

// '#' begins a comment, but not in "#1001" (a number) or "#include".
std::string_view without_comment(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\')
      ++i;
    else if (line[i] == '#' && !(i + 1 < line.size() && line[i + 1] >= '0' && line[i + 1] <= '9'))
      return line.substr(0, i);
  }
  return line;
}

std::optional<SudoersInclude> include_of(std::string_view line, std::uint64_t number) {
  if (line.empty() || (line.front() != '#' && line.front() != '@')) return std::nullopt;
  line.remove_prefix(1);
  SudoersInclude include{number, {}, false};
  if (take_prefix(line, "includedir"))
    include.folder = true;
  else if (!take_prefix(line, "include"))
    return std::nullopt;
  if (line.empty() || (line.front() != ' ' && line.front() != '\t')) return std::nullopt;
  line = trim(line);
  if (line.size() >= 2 && line.front() == '"' && line.back() == '"') line = line.substr(1, line.size() - 2);
  include.path = std::string(line);
  return include;
}

bool is_tag(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
}

// "(ALL:ALL) NOPASSWD: ALL, SETENV: /bin/x"
void parse_commands(std::string_view text, SudoersRule& rule) {
  text = trim(text);
  if (take_prefix(text, "(")) rule.run_as = std::string(trim(take_until(text, ")")));
  for (std::string_view part : split(text, ',')) {
    part = trim(part);
    for (;;) {
      const std::size_t colon = part.find(':');
      const std::string_view word = trim(part.substr(0, colon));
      if (colon == std::string_view::npos || !is_tag(word)) break;
      if (std::ranges::find(rule.tags, word) == rule.tags.end()) rule.tags.emplace_back(word);
      part = trim(part.substr(colon + 1));
    }
    if (!part.empty()) rule.commands.emplace_back(part);
  }
}

std::optional<SudoersRule> rule_of(std::string_view line, const Joined& from) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  SudoersRule rule;
  rule.line = from.line;
  rule.offset = from.offset;
  rule.text = std::string(line);
  const std::string_view left = trim(line.substr(0, equals));
  const std::size_t space = left.find_last_of(" \t");
  if (space == std::string_view::npos) return std::nullopt;
  rule.who = std::string(trim(left.substr(0, space)));
  rule.hosts = std::string(left.substr(space + 1));
  parse_commands(line.substr(equals + 1), rule);
  return rule;
}

Result<void> read_one(const machine::Machine& machine, const machine::FileRef& file, int depth, std::set<std::string>& seen,
                      std::vector<SudoersFile>& files);

Result<void> read_include(const machine::Machine& machine, const SudoersInclude& include, std::string_view from, int depth,
                          std::set<std::string>& seen, std::vector<SudoersFile>& files) {
  const std::string path = include.path.starts_with('/') ? include.path : std::string(from.substr(0, from.rfind('/') + 1)) + include.path;
  ICECORE_ASSIGN(const auto found, machine.glob(include.folder ? path + "/*" : path));
  for (const machine::FileRef& file : found) {
    const std::string_view name = std::string_view(file.path).substr(file.path.rfind('/') + 1);
    if (include.folder && (name.find('.') != std::string_view::npos || name.ends_with('~'))) continue;
    ICECORE_CHECK(read_one(machine, file, depth, seen, files));
  }
  return {};
}

Result<void> read_one(const machine::Machine& machine, const machine::FileRef& file, int depth, std::set<std::string>& seen,
                      std::vector<SudoersFile>& files) {
  constexpr int kDeepest = 16;
  if (file.info.type != fs::FileType::kRegular || depth > kDeepest || files.size() >= kMostFiles || !seen.insert(file.path).second) return {};
  ICECORE_ASSIGN(const auto text, machine.content(file));
  if (!text) return {};
  files.push_back({file, parse_sudoers(*text)});
  const auto includes = files.back().content.includes;
  for (const SudoersInclude& include : includes) ICECORE_CHECK(read_include(machine, include, file.path, depth + 1, seen, files));
  return {};
}

}  // namespace

Sudoers parse_sudoers(std::string_view text) {
  Sudoers sudoers;
  for (const Joined& joined : joined_lines(text)) {
    std::string_view line = trim(joined.text);
    if (auto include = include_of(line, joined.line)) {
      sudoers.includes.push_back(std::move(*include));
      continue;
    }
    line = trim(without_comment(line));
    if (line.empty()) continue;
    const std::string_view first = line.substr(0, line.find_first_of(" \t@:!>"));
    if (first == "Defaults") {
      sudoers.defaults.emplace_back(trim(line.substr(first.size())));
      continue;
    }
    if (first.ends_with("_Alias")) continue;
    if (auto rule = rule_of(line, joined)) sudoers.rules.push_back(std::move(*rule));
  }
  return sudoers;
}

Result<std::vector<SudoersFile>> sudoers_files(const machine::Machine& machine) {
  std::vector<SudoersFile> files;
  std::set<std::string> seen;
  ICECORE_ASSIGN(const auto main_file, machine.find("/etc/sudoers"));
  if (main_file) ICECORE_CHECK(read_one(machine, *main_file, 0, seen, files));
  return files;
}

}  // namespace icecore::artefact
