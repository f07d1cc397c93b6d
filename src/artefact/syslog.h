// Syslog text files: RFC 3164 lines ("Nov 24 08:43:26 host sshd[42]: …", no year, local time) and rsyslog's ISO 8601 lines.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "artefact/collector.h"
#include "machine/time_zone.h"

namespace icecore::artefact {

struct SyslogLine {
  std::optional<Timestamp> time;  ///< with an offset in the line: UTC
  // Without: month … second as written, and no year.
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::string_view host, reporter, pid, body;
};

/// nullopt where it is no syslog line (a continuation, a binary piece).
std::optional<SyslogLine> parse_syslog_line(std::string_view text);

/// Gives years to lines that have none. Lines of a file rise in time, and the last is no later than the file's mtime (a day's grace); a step back by
/// more than half a year is a new year.
class YearGuesser {
 public:
  /// `first` and `last`: the months of the first and last line; `years_crossed`: steps back counted between them.
  YearGuesser(Timestamp file_mtime, const machine::TimeZone& zone, const SyslogLine& last, unsigned years_crossed);
  /// To be asked line by line, from the first.
  Timestamp time_of(const SyslogLine& line);

 private:
  const machine::TimeZone* zone_;
  std::int64_t year_;
  unsigned month_ = 0;
};

/// True where a line in `now` after one in `before` means that the year has changed: far backwards.
bool crosses_year(unsigned before_month, unsigned now_month);

/// auth.log, secure, syslog, messages, daemon.log, kern.log, user.log, cron(.log), mail.log and their rotations. data_type "syslog:line"; for
/// what artefact/messages.h knows "syslog:ssh:login", "syslog:ssh:failed_connection", "syslog:cron:task_run", … Fields host, reporter, pid, body,
/// file, rotation and those of the message.
Result<void> collect_syslog(const Subject& subject, EventSink& sink);

}  // namespace icecore::artefact
