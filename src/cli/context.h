// What every command shares: the global flags, how a run on a workspace begins and ends, and how it speaks.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>

#include "cli/exit_code.h"
#include "engine/target.h"
#include "report/style.h"

namespace icecore::cli {

struct Globals {
  aws::Flags aws;
  std::string case_folder;  ///< --case; empty: the default of the target
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool no_color = false;
  bool exit_code = false;   ///< --exit-code
  bool as_on_disk = false;  ///< --no-journal
  std::vector<std::string> with, luks_key_files, luks_passphrase_files;
  std::size_t threads = 64;
  std::string command_line;

  report::Style style() const;  ///< for standard output
};

/// How a command's work ended well.
struct Outcome {
  ExitCode code = kDone;
  std::string summary;  ///< one line for the ledger
};

/// Puts a workspace together, opens the case in `case_folder` (not empty) or goes without, runs `work`, ends the case's run, prints an error where
/// there is one, and gives the exit code. `must_exist`: the folder has to be a case already.
int run(const Globals& globals, const Path& case_folder, bool must_exist, const std::function<Result<Outcome>(engine::Workspace&)>& work);

/// The same on the case of a target: `--case`, or the target's own default (engine::default_case_folder).
int run_in_case_of(const Globals& globals, const std::string& target, const std::function<Result<Outcome>(engine::Workspace&)>& work);

/// The same for commands that open the target: what cannot be one is refused before a case is made for it.
int run_on_target(const Globals& globals, const std::string& target, const std::function<Result<Outcome>(engine::Workspace&)>& work);

/// The same for commands that only look: where another run holds the case, `work` gets options with which the target's images are read beside it, as
/// long as they are complete; otherwise the error says who holds it.
int run_beside(const Globals& globals, const std::string& target,
               const std::function<Result<Outcome>(engine::Workspace&, const engine::TargetOptions&)>& work);

/// "icecore: error: …" on standard error, with what to do next.
void print_error(const Error& error);
/// Prints it, and gives its exit code.
int failed(const Error& error);
/// One line on standard error about what is going on; nothing with --quiet.
void say(const Globals& globals, std::string_view line);
/// Text to standard output; kIo where it cannot be written. A closed pipe ends the program quietly.
Result<void> print(std::string_view text);

/// Partial where there are anomalies, else done; findings where asked for.
ExitCode code_for(const engine::Workspace& workspace);

/// Which view of a disk the flags ask for.
engine::TargetOptions view_options(const Globals& globals);

/// Registers a flag group that commands on AWS share (--profile, --region, …) and those on targets (--case, --no-journal).
void add_aws_flags(CLI::App& command, Globals& globals);
void add_case_flag(CLI::App& command, Globals& globals);
void add_view_flag(CLI::App& command, Globals& globals);
/// --luks-passphrase-file and --luks-key-file alone; add_view_flag has them too.
void add_luks_flags(CLI::App& command, Globals& globals);

/// What main runs: the command that was chosen.
using Chosen = std::function<int()>;

}  // namespace icecore::cli
