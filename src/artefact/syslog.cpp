#include "artefact/syslog.h"

#include <fmt/format.h>

#include "artefact/lines.h"
#include "artefact/messages.h"
#include "artefact/scan.h"
#include "core/text.h"
#include "machine/locator.h"

namespace icecore::artefact {
namespace {

constexpr std::int64_t kDay = 86400;

// "sshd[42]: body", "kernel: body"; anything else is all body.
void split_tag(std::string_view rest, SyslogLine& line) {
  line.body = rest;
  const std::size_t end = rest.find_first_of(" :[");
  if (end == std::string_view::npos || end == 0 || rest[end] == ' ') return;
  std::string_view after = rest.substr(end);
  std::string_view pid;
  if (take_prefix(after, "[")) {
    const std::size_t close = after.find("]:");
    if (close == std::string_view::npos) return;
    pid = after.substr(0, close);
    after.remove_prefix(close + 1);
  }
  if (!take_prefix(after, ":")) return;
  take_prefix(after, " ");
  line.reporter = rest.substr(0, end);
  line.pid = pid;
  line.body = after;
}

bool take_iso_time(std::string_view& text, SyslogLine& line) {
  std::string_view rest = text;
  const std::string_view word = take_until(rest, " ");
  const auto time = parse_iso8601(word);
  if (!time) return false;
  line.time = *time;
  text = rest;
  return true;
}

bool take_old_time(std::string_view& text, SyslogLine& line) {
  constexpr std::size_t kWidth = 15;  // "Nov 24 08:43:26"
  if (text.size() <= kWidth || text[3] != ' ' || text[6] != ' ' || text[kWidth] != ' ') return false;
  const auto day = parse_number<unsigned>(trim(text.substr(4, 2)));
  const auto clock = parse_clock(text.substr(7, 8));
  line.month = month_of(text.substr(0, 3));
  if (line.month == 0 || !day || *day < 1 || *day > 31 || !clock) return false;
  line.day = *day;
  line.hour = clock->hour;
  line.minute = clock->minute;
  line.second = clock->second;
  text.remove_prefix(kWidth + 1);
  return true;
}

struct Survey {
  std::optional<SyslogLine> last;  // its views are not valid any more
  unsigned years_crossed = 0;
};

// What the years of a file can be guessed from; nothing where its lines have years.
Result<Survey> survey(const Subject& subject, const LogFile& log) {
  Survey found;
  bool dated = false;
  const auto read = for_each_line(subject.machine, log.file, [&](const Line& text) -> Result<void> {
    const auto line = parse_syslog_line(text.text);
    if (!line) return {};
    dated = line->time.has_value();
    if (dated) return fail(Code::kNotFound, "no year to guess: the rest need not be read twice");
    if (found.last && crosses_year(found.last->month, line->month)) ++found.years_crossed;
    found.last = *line;
    return {};
  });
  if (!read && !dated) return Failure(read.error());
  return found;
}

Event event_of(const SyslogLine& line, Timestamp time, Provenance where) {
  Event event = make_event(time, "Content Recorded Time", "syslog:line", std::string(), std::move(where));
  const std::string tag = line.pid.empty() ? std::string(line.reporter) : fmt::format("{}[{}]", line.reporter, line.pid);
  event.message = tag.empty() ? std::string(line.body) : fmt::format("{}: {}", tag, line.body);
  const MessageKind kind = parse_message(line.reporter, line.body, event.fields);
  if (!kind.data_type.empty()) event.data_type = std::string(kind.data_type);
  put(event, "action", kind.action);
  put(event, "host", line.host);
  put(event, "reporter", line.reporter);
  put(event, "pid", line.pid);
  put(event, "body", line.body);
  return event;
}

Result<void> collect_file(const Subject& subject, const LogFile& log, std::string_view name, EventSink& sink) {
  ICECORE_ASSIGN(const Survey years, survey(subject, log));
  std::optional<YearGuesser> guesser;
  if (years.last) guesser.emplace(log.file.info.modified, subject.facts.zone, *years.last, years.years_crossed);
  const machine::Locator locator(subject.machine, log.file);
  std::size_t unknown = 0;
  std::uint64_t first_unknown = 0;
  ICECORE_CHECK(for_each_line(subject.machine, log.file, [&](const Line& text) -> Result<void> {
    const auto line = parse_syslog_line(text.text);
    if (!line || (!line->time && !guesser)) {
      if (!trim(text.text).empty() && unknown++ == 0) first_unknown = text.offset;
      return {};
    }
    const Timestamp time = line->time ? *line->time : guesser->time_of(*line);
    Event event = event_of(*line, time, log.packed ? locator.at_line(text.number) : locator.at(text.offset, text.number));
    put(event, "file", name);
    put(event, "rotation", log.rotation);
    return sink.add(std::move(event));
  }));
  if (unknown > 0)
    subject.anomalies.add("syslog.line", Error{Code::kCorrupt, fmt::format("{} lines are no syslog lines", unknown),
                                               Location{locator.whole().snapshot, first_unknown, log.file.info.inode, log.file.path}});
  return {};
}

}  // namespace

std::optional<SyslogLine> parse_syslog_line(std::string_view text) {
  SyslogLine line;
  if (!text.empty() && text.front() == '<') {  // a priority, where a template writes it
    const std::size_t close = text.substr(0, 6).find('>');
    if (close == std::string_view::npos) return std::nullopt;
    text.remove_prefix(close + 1);
  }
  if (!take_iso_time(text, line) && !take_old_time(text, line)) return std::nullopt;
  if (text.ends_with('\r')) text.remove_suffix(1);
  line.host = take_until(text, " ");
  split_tag(text, line);
  return line;
}

bool crosses_year(unsigned before_month, unsigned now_month) { return now_month + 6 < before_month; }

YearGuesser::YearGuesser(Timestamp file_mtime, const machine::TimeZone& zone, const SyslogLine& last, unsigned years_crossed) : zone_(&zone) {
  const std::int64_t local = file_mtime.seconds + zone.offset_at(file_mtime.seconds);
  year_ = to_civil(local).year;
  const Timestamp written = from_civil(year_, last.month, last.day, last.hour, last.minute, last.second);
  if (written.seconds > local + kDay) --year_;
  year_ -= years_crossed;
}

Timestamp YearGuesser::time_of(const SyslogLine& line) {
  if (month_ != 0 && crosses_year(month_, line.month)) ++year_;
  month_ = line.month;
  const Timestamp local = from_civil(year_, line.month, line.day, line.hour, line.minute, line.second);
  return {zone_->to_utc(local.seconds), 0};
}

Result<void> collect_syslog(const Subject& subject, EventSink& sink) {
  for (const std::string_view name :
       {"auth.log", "secure", "syslog", "messages", "daemon.log", "kern.log", "user.log", "cron.log", "cron", "mail.log", "maillog"}) {
    ICECORE_ASSIGN(const auto family, log_family(subject.machine, "/var/log/" + std::string(name)));
    for (const LogFile& log : family) ICECORE_CHECK(collect_file(subject, log, name, sink));
  }
  return {};
}

}  // namespace icecore::artefact
