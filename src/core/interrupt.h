// Ctrl-C and SIGTERM as a flag that long work looks at; the second signal ends the program at once.
#pragma once

#include "core/result.h"

namespace icecore {

/// Installs the handlers; call once, from main.
void catch_interrupts();

/// True once SIGINT or SIGTERM has come. Thread-safe, async-signal-safe.
bool interrupted();

/// The error to return where work stops for it.
Failure interruption();

}  // namespace icecore
