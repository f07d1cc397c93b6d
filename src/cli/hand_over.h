// A script that a person takes to another machine, and the wait until it has run there.
#pragma once

#include <string>

#include "cli/context.h"

namespace icecore::cli {

/// Prints the script that unmounts the copies (with --json: {"unmount_script": …}, a document of its own) and waits for a line on standard input, or
/// its end: a program that drives icecore may close it. kInterrupted where Ctrl-C comes instead.
Result<void> hand_over_unmounting(const Globals& globals, const std::string& script);

}  // namespace icecore::cli
