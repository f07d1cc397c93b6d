#include "cli/background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cstdio>

#include "cli/context.h"

namespace icecore::cli {
namespace {

void leave_terminal() {
  ::setsid();
  std::fflush(stdout);
  std::fflush(stderr);
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere < 0) return;
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nowhere, standard);
  ::close(nowhere);
}

int wait_until_ready(int pipe, pid_t child) {
  char word = 0;
  ssize_t count = 0;
  while ((count = ::read(pipe, &word, 1)) < 0 && errno == EINTR) {  // the terminal's Ctrl-C reaches the child too
  }
  if (count == 1) return kDone;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : kFailed;
}

}  // namespace

int in_background(const std::function<int(const std::function<void()>& ready)>& work) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    print_error({Code::kIo, "cannot make a pipe", std::nullopt, nullptr});
    return kFailed;
  }
  const pid_t child = ::fork();
  if (child < 0) {
    print_error({Code::kIo, "cannot start a process for the background", std::nullopt, nullptr});
    return kFailed;
  }
  if (child > 0) {
    ::close(ends[1]);
    return wait_until_ready(ends[0], child);
  }
  ::close(ends[0]);
  return work([&] {
    leave_terminal();
    const char word = 'r';
    (void)!::write(ends[1], &word, 1);
    ::close(ends[1]);
  });
}

}  // namespace icecore::cli
