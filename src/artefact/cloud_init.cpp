#include "artefact/cloud_init.h"

#include <fmt/format.h>
#include <algorithm>

#include "artefact/lines.h"
#include "artefact/scan.h"
#include "core/text.h"
#include "machine/locator.h"

namespace icecore::artefact {
namespace {

// "2026-11-24 08:43:26,123 - util.py[DEBUG]: message"
std::optional<CloudInitLine> parse_python_line(std::string_view text, const machine::TimeZone& zone) {
  const std::string_view stamp = take_until(text, " - ");
  if (stamp.size() != 23 || (stamp[19] != ',' && stamp[19] != '.')) return std::nullopt;
  const auto local = parse_iso8601(std::string(stamp.substr(0, 19)) + "Z");
  const auto milliseconds = parse_number<std::uint32_t>(stamp.substr(20));
  if (!local || !milliseconds) return std::nullopt;
  CloudInitLine line;
  line.time = {zone.to_utc(local->seconds), *milliseconds * 1'000'000};
  const std::size_t bracket = text.find('[');
  const std::size_t close = text.find("]: ");
  if (bracket == std::string_view::npos || close == std::string_view::npos || close < bracket) {
    line.message = text;
    return line;
  }
  line.source = text.substr(0, bracket);
  line.level = text.substr(bracket + 1, close - bracket - 1);
  line.message = text.substr(close + 3);
  return line;
}

// "Cloud-init v. 22.4.2 running 'modules:final' at Tue, 24 Nov 2026 08:43:26 +0000. Up 12.3 seconds."
std::optional<CloudInitLine> parse_stage_line(std::string_view text) {
  if (!text.starts_with("Cloud-init v. ")) return std::nullopt;
  const std::size_t at = text.find(" at ");
  if (at == std::string_view::npos) return std::nullopt;
  const auto words = split_fields(text.substr(at + 4));  // Tue, 24 Nov 2026 08:43:26 +0000.
  if (words.size() < 6) return std::nullopt;
  const auto day = parse_number<unsigned>(words[1]);
  const unsigned month = month_of(words[2]);
  const auto year = parse_number<unsigned>(words[3]);
  const auto clock = parse_clock(words[4]);
  const std::string_view zone = words[5];
  if (!day || *day < 1 || *day > 31 || month == 0 || !year || !clock || zone.size() < 5) return std::nullopt;
  const auto hours = parse_number<int>(zone.substr(1, 2));
  const auto minutes = parse_number<int>(zone.substr(3, 2));
  if (!hours || !minutes) return std::nullopt;
  CloudInitLine line;
  line.time = from_civil(*year, month, *day, clock->hour, clock->minute, clock->second);
  line.time.seconds -= (*hours * 3600 + *minutes * 60) * (zone[0] == '-' ? -1 : 1);
  line.message = text;
  return line;
}

Result<void> collect_log(const Subject& subject, const LogFile& log, bool output, EventSink& sink) {
  const machine::Locator locator(subject.machine, log.file);
  std::optional<Timestamp> last;
  return for_each_line(subject.machine, log.file, [&](const Line& text) -> Result<void> {
    const auto line = parse_cloud_init_line(text.text, subject.facts.zone);
    if (line) last = line->time;
    if (trim(text.text).empty() || (!line && !output)) return {};  // a traceback's lines in the log proper
    const bool dated = line.has_value();
    Event event = make_event(dated ? line->time : last.value_or(log.file.info.modified),
                             dated  ? "Content Recorded Time"
                             : last ? "Recorded After"
                                    : kNoLater,
                             output ? "cloud_init:output:line" : "cloud_init:log:line", std::string(dated ? line->message : text.text),
                             log.packed ? locator.at_line(text.number) : locator.at(text.offset, text.number));
    put(event, "body", dated ? line->message : text.text);
    if (dated) {
      put(event, "source", line->source);
      put(event, "level", line->level);
    }
    put(event, "file", output ? "cloud-init-output.log" : "cloud-init.log");
    put(event, "rotation", log.rotation);
    return sink.add(std::move(event));
  });
}

}  // namespace

std::optional<CloudInitLine> parse_cloud_init_line(std::string_view text, const machine::TimeZone& zone) {
  if (auto line = parse_stage_line(text)) return line;
  return parse_python_line(text, zone);
}

Result<std::vector<UserDataCopy>> user_data_copies(const machine::Machine& machine) {
  std::vector<machine::FileRef> files;
  // user-data.txt is as given; user-data.txt.i is the same processed; scripts are its parts as they were run.
  for (const std::string_view pattern :
       {"/var/lib/cloud/instances/*/user-data.txt", "/var/lib/cloud/instances/*/vendor-data.txt", "/var/lib/cloud/instances/*/scripts/*",
        "/var/lib/cloud/instance/user-data.txt", "/var/lib/cloud/scripts/*/*"}) {
    ICECORE_ASSIGN(const auto found, machine.glob(pattern));
    for (const machine::FileRef& file : found) {
      const bool known = std::ranges::find(files, file.path, &machine::FileRef::path) != files.end();
      if (file.info.type == fs::FileType::kRegular && file.info.size > 0 && !known) files.push_back(file);
    }
  }
  std::ranges::stable_sort(files, {}, [](const machine::FileRef& file) { return file.info.modified; });
  std::vector<UserDataCopy> copies;
  for (const machine::FileRef& file : files) {
    ICECORE_ASSIGN(const auto text, machine.content(file));
    if (text) copies.push_back({file, unpack_user_data(*text)});
  }
  return copies;
}

Result<void> collect_cloud_init(const Subject& subject, EventSink& sink) {
  for (const std::string_view name : {"/var/log/cloud-init.log", "/var/log/cloud-init-output.log"}) {
    ICECORE_ASSIGN(const auto family, log_family(subject.machine, name));
    for (const LogFile& log : family) ICECORE_CHECK(collect_log(subject, log, name.ends_with("output.log"), sink));
  }
  ICECORE_ASSIGN(const auto copies, user_data_copies(subject.machine));
  for (const UserDataCopy& copy : copies) {
    for (const UserDataPart& part : copy.parts) {
      Event event = make_event(copy.file.info.modified, kNoLater, "cloud_init:user_data",
                               fmt::format("user-data {} of {} bytes: {}", kind_name(part.kind), part.content.size(), part.content.substr(0, 200)),
                               subject.machine.provenance(copy.file, part.offset));
      put(event, "kind", kind_name(part.kind));
      put(event, "body", part.content.substr(0, 32 << 10));
      ICECORE_CHECK(sink.add(std::move(event)));
    }
  }
  return {};
}

}  // namespace icecore::artefact
