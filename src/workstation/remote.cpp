#include "workstation/remote.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "workstation/waiting.h"

namespace icecore::workstation {
namespace {

constexpr std::size_t kOutputLimit = std::size_t{4} << 20;

Failure unreachable(const Machine& machine, const Error& cause) {
  return wrap(cause,
              fmt::format("the script could not be run on {} through Systems Manager; --ssh USER@HOST goes another way, and --print-script gives it "
                          "to paste",
                          machine.id()));
}

Result<ScriptResult> through_systems_manager(CaseAccount& account, const Machine& machine, const Remote& remote, const std::string& script,
                                             const std::string& purpose) {
  account.workspace().progress().begin("a script on the workstation: " + purpose, 0, "s");
  auto command = account.ssm().send_script(machine.id(), script, fmt::format("icecore {}: {}", account.case_id(), purpose));
  // The scripts do nothing twice, so an unknown outcome is asked again.
  if (!command && command.error().outcome_unknown) command = account.ssm().send_script(machine.id(), script, "icecore: " + purpose);
  if (!command) return unreachable(machine, command.error());
  Waiting waiting(account.workspace(), remote.patience);
  while (true) {
    ICECORE_ASSIGN(const auto invocation, plain(account.ssm().invocation(*command, machine.id())));
    if (invocation && invocation->ended()) {
      account.workspace().progress().end();
      const bool ran = invocation->status == "Success" || invocation->status == "Failed";
      if (!ran)
        return fail(Code::kRemote,
                    fmt::format("the script on {} ended as {}: {}", machine.id(), invocation->status, printable(invocation->error.substr(0, 300))));
      return ScriptResult{invocation->output, invocation->error, static_cast<int>(invocation->exit_code)};
    }
    ICECORE_CHECK(wait_until_running(account, machine.id(), remote.patience));
    ICECORE_CHECK(waiting.pause(fmt::format("the script on {} has not ended", machine.id()), "look there (ps), then run the same command again"));
  }
}

Result<std::string> read_all(int fd) {
  std::string text;
  std::array<char, 16384> piece{};
  for (;;) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_failure(errno, "read the output of", "ssh");
    if (got == 0) return text;
    if (text.size() < kOutputLimit) text.append(piece.data(), static_cast<std::size_t>(got));
  }
}

// ssh reads the script as its standard input from an unlinked temporary, so that neither side waits for the other.
Result<ScriptResult> through_ssh(const Remote& remote, const std::string& script) {
  if (remote.ssh->starts_with('-')) return fail(Code::kInvalidArgument, "--ssh takes USER@HOST");
  std::string name = "/tmp/icecore-script-XXXXXX";
  const FileDescriptor input(::mkstemp(name.data()));
  if (!input) return errno_failure(errno, "make", name);
  ::unlink(name.c_str());
  ICECORE_CHECK(write_exactly(input.get(), as_bytes(script), 0, name));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_failure(errno, "make a pipe for", "ssh");
  FileDescriptor out(ends[0]);
  FileDescriptor in(ends[1]);
  std::vector<std::string> words = {"ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new", "-o", "ConnectTimeout=20"};
  if (remote.identity) words.insert(words.end(), {"-i", *remote.identity});
  words.insert(words.end(), {*remote.ssh, "sudo", "-n", "sh", "-s"});
  std::vector<char*> arguments;
  for (std::string& one : words) arguments.push_back(one.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, in.get(), STDOUT_FILENO);
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, "ssh", &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  in = FileDescriptor();
  if (failed != 0) return errno_failure(failed, "run", "ssh");
  auto output = read_all(out.get());
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  ICECORE_ASSIGN(std::string text, std::move(output));
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
  if (code == 255)
    return fail(Code::kNetwork,
                fmt::format("ssh could not reach {} (what it said stands above); the key, the address and --inbound decide", *remote.ssh));
  return ScriptResult{std::move(text), "", code};
}

}  // namespace

Result<ScriptResult> run_script(CaseAccount& account, const Machine& machine, const Remote& remote, const std::string& script,
                                const std::string& purpose) {
  ICECORE_ASSIGN(const std::uint64_t act, account.ledger().intend({{"act", "run-script"},
                                                                   {"instance", machine.id()},
                                                                   {"purpose", purpose},
                                                                   {"through", remote.ssh ? "ssh" : "ssm"},
                                                                   {"script_sha256", to_hex(sha256(as_bytes(script)))}}));
  auto result = remote.ssh ? through_ssh(remote, script) : through_systems_manager(account, machine, remote, script, purpose);
  Json body = {{"ok", result.has_value()}};
  if (result) body["exit_code"] = result->exit_code;
  if (result) body["output"] = valid_utf8(result->output.substr(0, kOutputLimit));
  if (!result) body["error"] = to_string(result.error());
  ICECORE_CHECK(account.ledger().conclude(act, std::move(body)));
  return result;
}

}  // namespace icecore::workstation
