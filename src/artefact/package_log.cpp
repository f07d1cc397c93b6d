#include "artefact/package_log.h"

#include <fmt/format.h>

#include "artefact/lines.h"
#include "artefact/scan.h"
#include "core/text.h"
#include "machine/locator.h"

namespace icecore::artefact {
namespace {

// "2026-11-24 08:43:26" or with two blanks, as apt writes it.
std::optional<std::int64_t> parse_local(std::string_view date, std::string_view clock) {
  if (date.size() != 10 || date[4] != '-' || date[7] != '-') return std::nullopt;
  const auto year = parse_number<unsigned>(date.substr(0, 4));
  const auto month = parse_number<unsigned>(date.substr(5, 2));
  const auto day = parse_number<unsigned>(date.substr(8, 2));
  const auto time = parse_clock(clock);
  if (!year || !month || !day || !time || *month < 1 || *month > 12 || *day < 1 || *day > 31) return std::nullopt;
  return from_civil(*year, *month, *day, time->hour, time->minute, time->second).seconds;
}

struct Place {
  const LogFile& log;
  const machine::Locator& locator;
  Provenance of(const Line& line) const { return log.packed ? locator.at_line(line.number) : locator.at(line.offset, line.number); }
};

Result<void> collect_dpkg(const Subject& subject, EventSink& sink) {
  ICECORE_ASSIGN(const auto family, log_family(subject.machine, "/var/log/dpkg.log"));
  for (const LogFile& log : family) {
    const machine::Locator locator(subject.machine, log.file);
    const Place place{log, locator};
    ICECORE_CHECK(for_each_line(subject.machine, log.file, [&](const Line& text) -> Result<void> {
      const auto line = parse_dpkg_log_line(text.text);
      if (!line) return {};
      Event event = make_event({subject.facts.zone.to_utc(line->local_seconds), 0}, "Content Recorded Time", "dpkg:line",
                               fmt::format("dpkg: {} {}", line->action, line->rest), place.of(text));
      put(event, "action", line->action);
      put(event, "package", line->package);
      put(event, "version", line->version);
      put(event, "body", line->rest);
      put(event, "rotation", log.rotation);
      return sink.add(std::move(event));
    }));
  }
  return {};
}

struct Paragraph {
  std::optional<std::int64_t> start;
  std::string command, requested_by, packages, error;
  Line first{};
};

// One run of apt: "Start-Date: …", "Commandline: …", "Install: …", "End-Date: …".
class AptHistory {
 public:
  AptHistory(const Subject& subject, const Place& place, EventSink& sink) : subject_(subject), place_(place), sink_(sink) {}
  Result<void> add(const Line& line) {
    std::string_view value = line.text;
    if (trim(value).empty()) return finish();
    const std::string_view key = take_until(value, ": ");
    if (key == "Start-Date") {
      ICECORE_CHECK(finish());
      const auto fields = split_fields(value);
      if (fields.size() == 2) run_.start = parse_local(fields[0], fields[1]);
      run_.first = line;
    } else if (key == "Commandline") {
      run_.command = std::string(value);
    } else if (key == "Requested-By") {
      run_.requested_by = std::string(value.substr(0, value.find(" (")));
    } else if (key == "Error") {
      run_.error = std::string(value);
    } else if (key != "End-Date") {
      if (!run_.packages.empty()) run_.packages += "; ";
      run_.packages += fmt::format("{}: {}", key, value);
    }
    return {};
  }
  Result<void> finish() {
    const Paragraph run = std::exchange(run_, {});
    if (!run.start) return {};
    Event event =
        make_event({subject_.facts.zone.to_utc(*run.start), 0}, "Content Recorded Time", "apt:history:line",
                   fmt::format("apt: {} ({})", run.command.empty() ? "a run" : run.command, run.packages.substr(0, 400)), place_.of(run.first));
    put(event, "command", run.command);
    put(event, "requested_by", run.requested_by);
    put(event, "packages", run.packages);
    put(event, "error", run.error);
    put(event, "rotation", place_.log.rotation);
    return sink_.add(std::move(event));
  }

 private:
  const Subject& subject_;
  const Place& place_;
  EventSink& sink_;
  Paragraph run_;
};

Result<void> collect_apt(const Subject& subject, EventSink& sink) {
  ICECORE_ASSIGN(const auto family, log_family(subject.machine, "/var/log/apt/history.log"));
  for (const LogFile& log : family) {
    const machine::Locator locator(subject.machine, log.file);
    const Place place{log, locator};
    AptHistory history(subject, place, sink);
    ICECORE_CHECK(for_each_line(subject.machine, log.file, [&](const Line& line) { return history.add(line); }));
    ICECORE_CHECK(history.finish());
  }
  return {};
}

}  // namespace

std::optional<DpkgLogLine> parse_dpkg_log_line(std::string_view text) {
  const std::string_view date = take_until(text, " ");
  const auto seconds = parse_local(date, take_until(text, " "));
  if (!seconds || text.empty()) return std::nullopt;
  DpkgLogLine line;
  line.local_seconds = *seconds;
  line.action = take_until(text, " ");
  line.rest = text;
  const auto fields = split_fields(text);
  if (line.action == "status" && fields.size() >= 3) {  // status STATE PACKAGE VERSION
    line.package = fields[1];
    line.version = fields[2];
  } else if (line.action != "startup" && line.action != "conffile" && fields.size() >= 3) {  // ACTION PACKAGE OLD NEW
    line.package = fields[0];
    line.version = fields[2];
  }
  return line;
}

Result<void> collect_package_logs(const Subject& subject, EventSink& sink) {
  ICECORE_CHECK(collect_dpkg(subject, sink));
  return collect_apt(subject, sink);
}

}  // namespace icecore::artefact
