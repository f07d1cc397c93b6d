#include "artefact/access_log.h"

#include <fmt/format.h>
#include <algorithm>

#include "artefact/lines.h"
#include "artefact/scan.h"
#include "core/text.h"
#include "machine/locator.h"

namespace icecore::artefact {
namespace {

constexpr std::size_t kDepth = 4;

// "24/Nov/2026:08:43:26 +0000"
std::optional<Timestamp> parse_time(std::string_view text) {
  if (text.size() != 26 || text[2] != '/' || text[6] != '/' || text[11] != ':' || text[20] != ' ') return std::nullopt;
  const auto day = parse_number<unsigned>(text.substr(0, 2));
  const unsigned month = month_of(text.substr(3, 3));
  const auto year = parse_number<unsigned>(text.substr(7, 4));
  const auto clock = parse_clock(text.substr(12, 8));
  const auto hours = parse_number<int>(text.substr(22, 2));
  const auto minutes = parse_number<int>(text.substr(24, 2));
  if (!day || month == 0 || !year || !clock || !hours || !minutes || *day < 1 || *day > 31) return std::nullopt;
  const int offset = (*hours * 3600 + *minutes * 60) * (text[21] == '-' ? -1 : 1);
  Timestamp time = from_civil(*year, month, *day, clock->hour, clock->minute, clock->second);
  time.seconds -= offset;
  return time;
}

// A quoted field; \" inside does not end it.
std::optional<std::string> take_quoted(std::string_view& text) {
  if (!take_prefix(text, "\"")) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      std::string field(text.substr(0, i));
      text.remove_prefix(i + 1);
      take_prefix(text, " ");
      return field;
    }
  }
  return std::nullopt;
}

std::string unless_dash(std::string_view text) { return text == "-" ? std::string() : std::string(text); }

void split_request(const std::string& request, AccessLine& line) {
  const std::size_t first = request.find(' ');
  const std::size_t last = request.rfind(' ');
  if (first == std::string::npos || first == last || !request.substr(last + 1).starts_with("HTTP/")) {
    line.request = request;
    return;
  }
  line.method = request.substr(0, first);
  line.path = request.substr(first + 1, last - first - 1);
  line.protocol = request.substr(last + 1);
}

Result<void> collect_file(const Subject& subject, const LogFile& log, EventSink& sink) {
  const machine::Locator locator(subject.machine, log.file);
  const std::string_view path = log.file.path;
  const bool nginx = path.find("nginx") != std::string_view::npos;
  const std::string_view data_type = nginx ? "nginx:access_log:entry" : "apache:access_log:entry";
  std::size_t unknown = 0;
  ICECORE_CHECK(for_each_line(subject.machine, log.file, [&](const Line& text) -> Result<void> {
    const auto line = parse_access_line(text.text);
    if (!line) {
      if (!trim(text.text).empty()) ++unknown;
      return {};
    }
    const std::string request = line->method.empty() ? line->request : line->method + ' ' + line->path;
    Event event = make_event(line->time, "Recorded Time", data_type, fmt::format("{} {} {} from {}", line->status, request, line->bytes, line->ip),
                             log.packed ? locator.at_line(text.number) : locator.at(text.offset, text.number));
    put(event, "ip", line->ip);
    put(event, "user", line->user);
    put(event, "method", line->method);
    put(event, "path", line->path);
    put(event, "request", line->request);
    put(event, "status", fmt::format("{}", line->status));
    put(event, "bytes", fmt::format("{}", line->bytes));
    put(event, "referer", line->referer);
    put(event, "user_agent", line->user_agent);
    put(event, "file", path);
    put(event, "rotation", log.rotation);
    return sink.add(std::move(event));
  }));
  if (unknown > 0)
    subject.anomalies.add("access-log.line", Error{Code::kCorrupt, fmt::format("{} lines are in no known access log format", unknown),
                                                   Location{locator.whole().snapshot, std::nullopt, log.file.info.inode, log.file.path}});
  return {};
}

}  // namespace

std::optional<AccessLine> parse_access_line(std::string_view text) {
  if (text.ends_with('\r')) text.remove_suffix(1);
  std::string_view rest = text;
  const auto names = split_fields(take_until(rest, " ["));
  if (names.size() < 3) return std::nullopt;
  AccessLine line;
  // Apache's vhost_combined puts "host:port" in front.
  const std::size_t first = names.size() > 3 && names[0].find(':') != std::string_view::npos && names[2] == "-" ? 1 : 0;
  line.ip = std::string(names[first]);
  if (names.size() > first + 2) line.user = unless_dash(names[first + 2]);
  const auto time = parse_time(take_until(rest, "] "));
  if (!time) return std::nullopt;
  line.time = *time;
  const auto request = take_quoted(rest);
  if (!request) return std::nullopt;
  split_request(*request, line);
  const auto status = parse_number<unsigned>(take_until(rest, " "));
  if (!status) return std::nullopt;
  line.status = *status;
  line.bytes = parse_number<std::uint64_t>(take_until(rest, " ")).value_or(0);
  if (const auto referer = take_quoted(rest)) line.referer = unless_dash(*referer);
  if (const auto agent = take_quoted(rest)) line.user_agent = unless_dash(*agent);
  return line;
}

Result<void> collect_access_logs(const Subject& subject, EventSink& sink) {
  std::vector<std::string> patterns = {"/var/log/nginx/*access*.log", "/var/log/apache2/*access*.log", "/var/log/httpd/*access*log"};
  for (const std::string_view place : {"/srv", "/var/www", "/usr/local"}) {
    std::string folder(place);
    for (std::size_t depth = 0; depth < kDepth; ++depth, folder += "/*") patterns.push_back(folder + "/*access*.log");
  }
  std::vector<std::string> seen;
  for (const std::string& pattern : patterns) {
    ICECORE_ASSIGN(const auto family, log_family(subject.machine, pattern));
    for (const LogFile& log : family) {
      if (std::ranges::find(seen, log.file.path) != seen.end()) continue;
      seen.push_back(log.file.path);
      ICECORE_CHECK(collect_file(subject, log, sink));
    }
  }
  return {};
}

}  // namespace icecore::artefact
