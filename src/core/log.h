// Diagnostics on standard error, one line each, safe for terminals. Not the ledger: nothing reads this back.
#pragma once

#include <string_view>

namespace icecore {

enum class LogLevel { kQuiet, kWarning, kInfo, kDebug };

void set_log_level(LogLevel level);
LogLevel log_level();

/// Written if the level is wanted. Thread-safe. Callers never pass secrets.
void log_warning(std::string_view message);
void log_info(std::string_view message);
void log_debug(std::string_view message);

}  // namespace icecore
