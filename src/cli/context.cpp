#include "cli/context.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "cli/progress_bar.h"
#include "cli/version.h"
#include "core/text.h"
#include "engine/finish_case.h"
#include "timeline/sink.h"

namespace icecore::cli {
namespace {

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 40 ? size.ws_col : 100;
}

Result<std::string> ask_mfa(const std::string& serial) {
  if (::isatty(STDIN_FILENO) == 0) return fail(Code::kCredentials, "the profile needs an MFA code, and there is no terminal to ask on");
  clear_progress();
  std::fputs(fmt::format("MFA code for {}: ", printable(serial)).c_str(), stderr);
  std::array<char, 64> line{};
  if (std::fgets(line.data(), static_cast<int>(line.size()), stdin) == nullptr) return fail(Code::kCredentials, "no MFA code was given");
  return std::string(trim(line.data()));
}

engine::WorkspaceOptions workspace_options(const Globals& globals) {
  engine::WorkspaceOptions options;
  options.aws = globals.aws;
  options.environment = aws::process_environment();
  options.mfa_prompt = ask_mfa;
  options.version = kVersion;
  options.command = globals.command_line;
  options.fetch_threads = globals.threads;
  options.say = [&globals](std::string_view line) { say(globals, line); };
  return options;
}

Path case_folder_of(const Globals& globals, const std::string& target) {
  const bool is_case = engine::kind_of(target) == engine::TargetKind::kCase;
  return globals.case_folder.empty() || is_case ? engine::default_case_folder(target) : Path(globals.case_folder);
}

int ended(engine::Workspace& workspace, const Result<Outcome>& outcome) {
  clear_progress();
  if (!outcome) {
    print_error(outcome.error());
    // An interrupted run is left open, as a killed one: the next goes on. Otherwise the case is closed as it is, so that it can be verified.
    if (outcome.error().code != Code::kInterrupted)
      if (const auto finished = engine::finish_case(workspace, false, to_string(outcome.error())); !finished) print_error(finished.error());
    return exit_code_of(outcome.error().code);
  }
  if (const auto finished = engine::finish_case(workspace, true, outcome->summary); !finished) return failed(finished.error());
  return outcome->code;
}

}  // namespace

int failed(const Error& error) {
  print_error(error);
  return exit_code_of(error.code);
}

report::Style Globals::style() const {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  return {terminal && !no_color && std::getenv("NO_COLOR") == nullptr, terminal ? terminal_width() : 100};
}

int run(const Globals& globals, const Path& case_folder, bool must_exist, const std::function<Result<Outcome>(engine::Workspace&)>& work) {
  engine::Workspace workspace(workspace_options(globals), terminal_progress(globals.quiet));
  if (!case_folder.empty())
    if (const auto opened = workspace.open_case(case_folder, must_exist); !opened) return failed(opened.error());
  return ended(workspace, work(workspace));
}

int run_in_case_of(const Globals& globals, const std::string& target, const std::function<Result<Outcome>(engine::Workspace&)>& work) {
  return run(globals, case_folder_of(globals, target), engine::kind_of(target) == engine::TargetKind::kCase, work);
}

int run_on_target(const Globals& globals, const std::string& target, const std::function<Result<Outcome>(engine::Workspace&)>& work) {
  if (const auto possible = engine::check_target(target); !possible) return failed(possible.error());
  return run_in_case_of(globals, target, work);
}

int run_beside(const Globals& globals, const std::string& target,
               const std::function<Result<Outcome>(engine::Workspace&, const engine::TargetOptions&)>& work) {
  if (const auto possible = engine::check_target(target); !possible) return failed(possible.error());
  const Path folder = case_folder_of(globals, target);
  engine::Workspace workspace(workspace_options(globals), terminal_progress(globals.quiet));
  engine::TargetOptions options = view_options(globals);
  Result<void> opened;
  if (!folder.empty()) opened = workspace.open_case(folder, engine::kind_of(target) == engine::TargetKind::kCase);
  if (opened) return ended(workspace, work(workspace, options));
  if (opened.error().code != Code::kBusy || engine::kind_of(target) == engine::TargetKind::kImage) return failed(opened.error());
  options.beside = folder;
  const Result<Outcome> outcome = work(workspace, options);
  // An image that is not whole: only the run that holds the case can fetch the rest.
  if (!outcome && outcome.error().code == Code::kBusy) return failed(opened.error());
  return ended(workspace, outcome);
}

void print_error(const Error& error) {
  clear_progress();
  const bool colour = ::isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  const std::string text = printable(to_string(error));
  std::fputs(fmt::format("icecore: {}error:{} {}\n", colour ? "\x1b[1;31m" : "", colour ? "\x1b[0m" : "", text).c_str(), stderr);
}

void say(const Globals& globals, std::string_view line) {
  if (globals.quiet) return;
  clear_progress();
  std::fputs((printable(line) + "\n").c_str(), stderr);
}

Result<void> print(std::string_view text) { return timeline::DescriptorSink(STDOUT_FILENO, "standard output").write(text); }

ExitCode code_for(const engine::Workspace& workspace) { return workspace.anomalies().count() > 0 ? kPartial : kDone; }

engine::TargetOptions view_options(const Globals& globals) {
  engine::TargetOptions options;
  if (globals.as_on_disk) options.view = fs::JournalView::kAsOnDisk;
  options.with = globals.with;
  options.luks_key_files = globals.luks_key_files;
  options.luks_passphrase_files = globals.luks_passphrase_files;
  return options;
}

void add_aws_flags(CLI::App& command, Globals& globals) {
  command.add_option("--profile", globals.aws.profile, "profile of the AWS configuration files (AWS_PROFILE)")->group("AWS");
  command.add_option("--region", globals.aws.region, "region of the evidence (AWS_REGION, AWS_DEFAULT_REGION)")->group("AWS");
  command.add_option("--endpoint-url", globals.aws.endpoint_url, "address for every service, such as the lab's (AWS_ENDPOINT_URL)")->group("AWS");
  command.add_option("--ca-bundle", globals.aws.ca_bundle, "certificates to trust (AWS_CA_BUNDLE)")->group("AWS");
  command.add_option("--threads", globals.threads, "blocks fetched side by side")->check(CLI::Range(1, 128))->capture_default_str()->group("AWS");
}

void add_case_flag(CLI::App& command, Globals& globals) {
  command.add_option("--case", globals.case_folder, "case folder (default: case-<id> in this folder); the same folder resumes");
}

void add_view_flag(CLI::App& command, Globals& globals) {
  command.add_flag("--no-journal", globals.as_on_disk, "the disk as its blocks stand, without replaying the filesystem's journal");
  command
      .add_option("--with", globals.with,
                  "image of another disk of the same machine (repeat it for more): groups and arrays over all of them are put together")
      ->allow_extra_args(false);
  add_luks_flags(command, globals);
}

void add_luks_flags(CLI::App& command, Globals& globals) {
  command
      .add_option("--luks-passphrase-file", globals.luks_passphrase_files, "file with the passphrase of LUKS encrypted volumes (repeat it for more)")
      ->allow_extra_args(false);
  command.add_option("--luks-key-file", globals.luks_key_files, "key file of LUKS encrypted volumes, taken as it is (repeat it for more)")
      ->allow_extra_args(false);
}

}  // namespace icecore::cli
