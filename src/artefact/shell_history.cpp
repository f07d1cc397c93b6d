#include "artefact/shell_history.h"

#include <fmt/format.h>

#include "artefact/scan.h"
#include "core/text.h"
#include "machine/locator.h"

namespace icecore::artefact {
namespace {

constexpr std::uint64_t kMostHistory = 64 << 20;

struct TextLine {
  std::string_view text;
  std::uint64_t number, offset;
};

std::vector<TextLine> numbered(std::string_view text) {
  std::vector<TextLine> lines;
  std::uint64_t number = 0;
  for (const std::string_view line : split_lines(text)) lines.push_back({line, ++number, static_cast<std::uint64_t>(line.data() - text.data())});
  return lines;
}

// bash's history.c, HIST_TIMESTAMP_START: '#' and a digit; a comment that someone typed starts with '#' too.
std::optional<Timestamp> bash_time(std::string_view line) {
  if (line.size() < 2 || line.front() != '#') return std::nullopt;
  return parse_epoch(line.substr(1));
}

struct HistoryName {
  std::string_view name;
  Shell shell;
};
constexpr HistoryName kNames[] = {{".bash_history", Shell::kBash},     {".sh_history", Shell::kBash},
                                  {".ash_history", Shell::kBash},      {".history", Shell::kBash},
                                  {".ksh_history", Shell::kBash},      {".zsh_history", Shell::kZsh},
                                  {".zhistory", Shell::kZsh},          {".histfile", Shell::kZsh},
                                  {".python_history", Shell::kBash},   {".mysql_history", Shell::kBash},
                                  {".psql_history", Shell::kBash},     {".sqlite_history", Shell::kBash},
                                  {".rediscli_history", Shell::kBash}, {".local/share/fish/fish_history", Shell::kFish}};

std::string_view data_type_of(Shell shell) {
  switch (shell) {
    case Shell::kZsh: return "shell:zsh:history";
    case Shell::kFish: return "fish:history:entry";
    default: return "bash:history:entry";
  }
}

std::string shell_name(const HistoryFile& file) {
  std::string_view name = file.file.path;
  name = name.substr(name.rfind('/') + 1);
  if (name.starts_with('.')) name.remove_prefix(1);
  const std::string_view program = name.substr(0, name.find("_history"));
  return std::string(program == "histfile" || program == "zhistory" ? "zsh" : program);
}

}  // namespace

std::vector<HistoryEntry> parse_bash_history(std::string_view text) {
  std::vector<HistoryEntry> entries;
  std::optional<Timestamp> time;
  bool open = false;  // with times, lines up to the next time are one command
  for (const TextLine& line : numbered(text)) {
    if (const auto stamp = bash_time(line.text)) {
      time = stamp;
      open = false;
      continue;
    }
    if (open) {
      entries.back().command += '\n';
      entries.back().command += line.text;
      continue;
    }
    if (line.text.empty()) continue;
    entries.push_back({line.number, line.offset, time, std::string(line.text)});
    open = time.has_value();
  }
  return entries;
}

// zsh's hist.c: ": begin:elapsed;command"; a newline in a command is written "\\\n". Bytes 0x83 escape the next (Meta), which is XORed with 0x20.
std::vector<HistoryEntry> parse_zsh_history(std::string_view text) {
  std::vector<HistoryEntry> entries;
  bool continued = false;
  const auto unmeta = [](std::string_view raw) {
    std::string plain;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      const bool meta = static_cast<unsigned char>(raw[i]) == 0x83 && i + 1 < raw.size();
      plain += meta ? static_cast<char>(static_cast<unsigned char>(raw[++i]) ^ 0x20U) : raw[i];
    }
    return plain;
  };
  for (const TextLine& line : numbered(text)) {
    std::string_view rest = line.text;
    const bool more = rest.ends_with('\\');
    if (more) rest.remove_suffix(1);
    if (continued) {
      entries.back().command += '\n' + unmeta(rest);
      continued = more;
      continue;
    }
    HistoryEntry entry{line.number, line.offset, std::nullopt, {}};
    std::string_view after = rest;
    if (take_prefix(after, ": ")) {
      const auto begin = parse_epoch(take_until(after, ":"));
      const auto elapsed = parse_number<std::int64_t>(take_until(after, ";"));
      if (begin && elapsed) {
        entry.time = begin;
        rest = after;
      }
    }
    entry.command = unmeta(rest);
    continued = more;
    if (!entry.command.empty() || more) entries.push_back(std::move(entry));
  }
  return entries;
}

// "- cmd: …" and "  when: epoch"; fish writes a newline as \n and a backslash as two.
std::vector<HistoryEntry> parse_fish_history(std::string_view text) {
  std::vector<HistoryEntry> entries;
  for (const TextLine& line : numbered(text)) {
    std::string_view rest = line.text;
    if (take_prefix(rest, "- cmd: ")) {
      std::string command;
      for (std::size_t i = 0; i < rest.size(); ++i) {
        const bool escape = rest[i] == '\\' && i + 1 < rest.size();
        command += !escape ? rest[i] : rest[++i] == 'n' ? '\n' : rest[i];
      }
      entries.push_back({line.number, line.offset, std::nullopt, std::move(command)});
    } else if (take_prefix(rest, "  when: ") && !entries.empty()) {
      entries.back().time = parse_epoch(trim(rest));
    }
  }
  return entries;
}

Result<std::vector<HistoryFile>> history_files(const Subject& subject) {
  std::vector<HistoryFile> files;
  ICECORE_ASSIGN(const auto homes, machine::home_folders(subject.machine, subject.facts));
  for (const machine::HomeFolder& home : homes) {
    for (const HistoryName& known : kNames) {
      const std::string base = home.folder.path == "/" ? std::string() : home.folder.path;
      ICECORE_ASSIGN(auto file, subject.machine.find(base + '/' + std::string(known.name), machine::Links::kKeep));
      if (!file) continue;
      HistoryFile found{std::move(*file), known.shell, home.user, {}};
      if (found.file.info.type == fs::FileType::kSymlink) found.link_target = subject.machine.readlink(found.file).value_or("");
      files.push_back(std::move(found));
    }
  }
  return files;
}

Result<std::vector<HistoryEntry>> read_history(const machine::Machine& machine, const HistoryFile& file) {
  if (file.file.info.type != fs::FileType::kRegular) return std::vector<HistoryEntry>();
  ICECORE_ASSIGN(const auto text, machine.content(file.file, kMostHistory));
  if (!text) return std::vector<HistoryEntry>();
  switch (file.shell) {
    case Shell::kZsh: return parse_zsh_history(*text);
    case Shell::kFish: return parse_fish_history(*text);
    default: return parse_bash_history(*text);
  }
}

Result<void> collect_shell_history(const Subject& subject, EventSink& sink) {
  ICECORE_ASSIGN(const auto files, history_files(subject));
  for (const HistoryFile& file : files) {
    ICECORE_ASSIGN(const auto entries, read_history(subject.machine, file));
    const machine::Locator locator(subject.machine, file.file);
    for (const HistoryEntry& entry : entries) {
      Event event = make_event(entry.time.value_or(file.file.info.modified), entry.time ? "Command Executed" : kNoLater, data_type_of(file.shell),
                               fmt::format("{} ran: {}", file.user, entry.command), locator.at(entry.offset, entry.line));
      put(event, "command", entry.command);
      put(event, "user", file.user);
      put(event, "shell", shell_name(file));
      ICECORE_CHECK(sink.add(std::move(event)));
    }
  }
  return {};
}

}  // namespace icecore::artefact
