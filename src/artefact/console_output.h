// An instance's console output: kernel lines with seconds since boot, cloud-init's and systemd's lines.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/collector.h"

namespace icecore::artefact {

struct ConsoleLine {
  std::uint64_t line = 0;
  std::uint64_t offset = 0;
  std::optional<std::int64_t> uptime_us;  ///< of "[   12.345678]"
  std::optional<Timestamp> time;          ///< said in the line itself, or uptime added to a boot time that an earlier line of this boot told
  std::string text;                       ///< without terminal escapes and the time in front
};

/// Lines of the console's text (decoded). A new boot begins where uptime falls back to 0.
std::vector<ConsoleLine> parse_console(std::string_view text);

/// Events of the dated lines; data_type "aws:ec2:console", field body. Undated lines are left out.
Result<void> console_events(std::string_view text, std::string_view instance, std::string_view case_file, EventSink& sink);

}  // namespace icecore::artefact
