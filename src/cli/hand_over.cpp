#include "cli/hand_over.h"

#include <poll.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>

#include "core/interrupt.h"
#include "core/json.h"
#include "core/safe_json.h"

namespace icecore::cli {
namespace {

constexpr int kLookAtSignalsMs = 200;

/// True for a line, false for the end of the input.
Result<bool> wait_for_a_line() {
  while (!interrupted()) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&input, 1, kLookAtSignalsMs);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    char letter = 0;
    const ssize_t got = ready < 0 ? -1 : ::read(STDIN_FILENO, &letter, 1);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return false;
    if (letter == '\n') return true;
  }
  return interruption();
}

}  // namespace

Result<void> hand_over_unmounting(const Globals& globals, const std::string& script) {
  ICECORE_CHECK(print(globals.json ? safe_json(Json{{"unmount_script", script}}.dump(2)) + '\n' : script));
  // Not by say(): with --quiet, too, nobody should wonder what is being waited for.
  if (::isatty(STDIN_FILENO) == 1)
    std::fputs(
        "Run this on the workstation, as root: it lets go of the copies, and says \"busy\" of what is in use.\nThen press Enter here, and they are "
        "thrown away and made anew; Ctrl-C leaves everything as it is.\n",
        stderr);
  ICECORE_ASSIGN(const bool line, wait_for_a_line());
  if (!line)
    say(globals,
        "standard input is at its end: going on. EC2 keeps a volume that is still mounted in \"detaching\" until the workstation lets go of it");
  return {};
}

}  // namespace icecore::cli
