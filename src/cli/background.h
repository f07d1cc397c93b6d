// A command that goes on after its terminal has its prompt back.
#pragma once

#include <functional>

namespace icecore::cli {

/// Runs `work` in a child process; call it before any thread is started. The caller's process ends with 0 once the child calls `ready`, or with the
/// child's exit code where it ends before. After `ready` the child has no terminal: its output goes nowhere.
int in_background(const std::function<int(const std::function<void()>& ready)>& work);

}  // namespace icecore::cli
