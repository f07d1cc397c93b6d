// Shell histories: bash (with `#epoch` lines where HISTTIMEFORMAT was set), zsh (": epoch:elapsed;command" where extended), fish (YAML-like).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/collector.h"

namespace icecore::artefact {

struct HistoryEntry {
  std::uint64_t line = 0;  ///< of the command's first line
  std::uint64_t offset = 0;
  std::optional<Timestamp> time;
  std::string command;  ///< may hold newlines; raw bytes
};

std::vector<HistoryEntry> parse_bash_history(std::string_view text);
std::vector<HistoryEntry> parse_zsh_history(std::string_view text);
std::vector<HistoryEntry> parse_fish_history(std::string_view text);

enum class Shell { kBash, kZsh, kFish };

struct HistoryFile {
  machine::FileRef file;  ///< the link itself where it is a symbolic link
  Shell shell = Shell::kBash;
  std::string user;         ///< owner of the home folder that it is in, by name or number
  std::string link_target;  ///< where it is a symbolic link: "/dev/null" …
};

/// Every .bash_history, .zsh_history, .sh_history, .ash_history, .python_history, .mysql_history … and fish_history in the home folders.
Result<std::vector<HistoryFile>> history_files(const Subject& subject);
/// The entries of one; none where it is a link or cannot be read.
Result<std::vector<HistoryEntry>> read_history(const machine::Machine& machine, const HistoryFile& file);

/// data_type "bash:history:entry" (zsh: "shell:zsh:history"); fields command, user, line, shell. Entries without a time of their own have the file's
/// mtime and the description "Content Modification Time": they were run no later.
Result<void> collect_shell_history(const Subject& subject, EventSink& sink);

}  // namespace icecore::artefact
