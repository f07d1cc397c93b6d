#include "core/log.h"

#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>

#include "core/text.h"

namespace icecore {
namespace {

std::atomic<LogLevel> wanted{LogLevel::kWarning};

void write_line(LogLevel level, std::string_view prefix, std::string_view message) {
  if (level > wanted.load(std::memory_order_relaxed)) return;
  static std::mutex mutex;
  const std::string line = std::string(prefix) + printable(message) + "\n";
  const std::scoped_lock lock(mutex);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

void set_log_level(LogLevel level) { wanted = level; }
LogLevel log_level() { return wanted; }
void log_warning(std::string_view message) { write_line(LogLevel::kWarning, "icecore: warning: ", message); }
void log_info(std::string_view message) { write_line(LogLevel::kInfo, "icecore: ", message); }
void log_debug(std::string_view message) { write_line(LogLevel::kDebug, "icecore: debug: ", message); }

}  // namespace icecore
