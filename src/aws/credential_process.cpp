// credential_process: an external program that prints credentials as JSON (AWS SDK reference, "Process credential provider").
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "aws/credential_sources.h"
#include "aws/json_values.h"
#include "core/interrupt.h"
#include "core/text.h"

extern char** environ;  // NOLINT: POSIX's own name

namespace icecore::aws {
namespace {

constexpr int kTimeoutSeconds = 60;
constexpr std::size_t kOutputBytes = 1 << 20;

/// Words as Python's shlex.split has them (botocore's compat_shell_split); nothing where a quote stays open.
std::optional<std::vector<std::string>> shell_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '\'' ? c == '\'' : quote == '"' && c == '"') {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size() && (quote == 0 || text[i + 1] == '"' || text[i + 1] == '\\')) {
      word += text[++i];
      in_word = true;
    } else if (quote != 0) {
      word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) return std::nullopt;
  if (in_word) words.push_back(std::move(word));
  return words;
}

struct Child {
  pid_t pid = -1;
  FileDescriptor output;
};

/// Its standard error is ours, so that it can ask for a code or say what is wrong.
Result<Child> start(const std::vector<std::string>& words) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Code::kIo, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  FileDescriptor read_end(ends[0]);
  const FileDescriptor write_end(ends[1]);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));  // NOLINT: posix_spawn's C signature
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
  Child child;
  const int failed = posix_spawnp(&child.pid, arguments.front(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return fail(Code::kCredentials, fmt::format("cannot start '{}': {}", printable(words.front()), std::strerror(failed)));
  child.output = std::move(read_end);
  return child;
}

/// All that it prints, bounded in size and time.
Result<std::string> read_output(const Child& child, const Clock& clock) {
  const std::int64_t deadline = clock.now().seconds + kTimeoutSeconds;
  std::string output;
  std::array<char, 8192> piece{};
  while (true) {
    if (interrupted()) return interruption();
    if (clock.now().seconds >= deadline) return fail(Code::kCredentials, fmt::format("it has not answered in {} s", kTimeoutSeconds));
    pollfd waiting{child.output.get(), POLLIN, 0};
    if (poll(&waiting, 1, 200) <= 0) continue;
    const ssize_t got = read(child.output.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Code::kIo, std::strerror(errno));
    if (got == 0) return output;
    output.append(piece.data(), static_cast<std::size_t>(got));
    if (output.size() > kOutputBytes) return fail(Code::kCredentials, "it prints more than 1 MiB");
  }
}

Result<std::string> run(const std::vector<std::string>& words, const Clock& clock) {
  ICECORE_ASSIGN(const Child child, start(words));
  auto output = read_output(child, clock);
  if (!output) kill(child.pid, SIGKILL);
  int status = 0;
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!output) return output;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  return fail(Code::kCredentials, WIFEXITED(status) ? fmt::format("it ended with exit code {}", WEXITSTATUS(status)) : "it was killed by a signal");
}

}  // namespace

Sourced process_credentials(const CredentialContext& context, const std::string& profile) {
  const auto command = context.config.files.setting(profile, "credential_process");
  if (!command) return std::nullopt;
  const std::string source = fmt::format("the credential_process of profile '{}'", printable(profile));
  const auto words = shell_words(*command);
  if (!words || words->empty()) return fail(Code::kCredentials, fmt::format("{} is not a command: check its quotes", source));
  auto output = run(*words, context.clock);
  if (!output) return wrap(std::move(output).error(), fmt::format("{} gives no credentials", source));
  const auto json = parse_json(*output, source);
  if (json && number_at(*json, "Version") != std::optional<std::uint64_t>(1)) {
    return fail(Code::kCredentials, fmt::format("{} answers with a version other than 1", source));
  }
  ICECORE_ASSIGN(Credentials credentials, credentials_from_json(*output, "SessionToken", source));
  return credentials;
}

}  // namespace icecore::aws
