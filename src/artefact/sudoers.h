// sudoers(5), as far as an examiner needs it: who may run what as whom, and without a password.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "artefact/collector.h"

namespace icecore::artefact {

struct SudoersRule {
  std::uint64_t line = 0;  ///< first of the joined lines
  std::uint64_t offset = 0;
  std::string text;  ///< as written, lines joined
  std::string who;   ///< "sysd", "%sudo", "#1001", "ALL"
  std::string hosts;
  std::string run_as;                 ///< "ALL:ALL"; empty where not said
  std::vector<std::string> tags;      ///< "NOPASSWD", "SETENV"
  std::vector<std::string> commands;  ///< "ALL", "/usr/bin/apt update"
};

struct SudoersInclude {
  std::uint64_t line = 0;
  std::string path;
  bool folder = false;
};

struct Sudoers {
  std::vector<SudoersRule> rules;
  std::vector<SudoersInclude> includes;
  std::vector<std::string> defaults;  ///< the rest of each Defaults line
};

Sudoers parse_sudoers(std::string_view text);

struct SudoersFile {
  machine::FileRef file;
  Sudoers content;
};
/// /etc/sudoers and all that it includes (each once, at most 16 deep), in order; names with '.' or '~' in included folders are passed over as sudo
/// does.
Result<std::vector<SudoersFile>> sudoers_files(const machine::Machine& machine);

}  // namespace icecore::artefact
