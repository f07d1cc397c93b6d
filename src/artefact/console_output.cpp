#include "artefact/console_output.h"

#include <fmt/format.h>

#include "artefact/cloud_init.h"
#include "artefact/scan.h"
#include "core/text.h"

namespace icecore::artefact {
namespace {

// Without terminal sequences (ECMA-48: ESC [ … final byte; ESC and one byte) and carriage returns.
std::string without_escapes(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\0') continue;
    if (text[i] != '\x1b') {
      plain += text[i];
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '[') {
      i += 2;
      while (i < text.size() && (text[i] < '@' || text[i] > '~')) ++i;
    } else {
      ++i;
    }
  }
  return plain;
}

// "[   12.345678] text" → microseconds
std::optional<std::int64_t> take_uptime(std::string_view& text) {
  std::string_view rest = text;
  if (!take_prefix(rest, "[")) return std::nullopt;
  const std::string_view inside = trim(take_until(rest, "]"));
  const std::size_t dot = inside.find('.');
  if (dot == std::string_view::npos || inside.size() - dot != 7) return std::nullopt;
  const auto seconds = parse_number<std::int64_t>(inside.substr(0, dot));
  const auto fraction = parse_number<std::int64_t>(inside.substr(dot + 1));
  if (!seconds || !fraction || *seconds < 0 || *seconds > 10'000'000'000 || *fraction < 0) return std::nullopt;
  take_prefix(rest, " ");
  text = rest;
  return *seconds * 1'000'000 + *fraction;
}

// "… setting system clock to 2026-11-24T08:43:26 UTC (1764…)" of rtc_cmos
std::optional<Timestamp> system_clock_of(std::string_view text) {
  constexpr std::string_view kWords = "setting system clock to ";
  const std::size_t at = text.find(kWords);
  const std::size_t open = text.rfind('(');
  if (at == std::string_view::npos || open == std::string_view::npos || open < at) return std::nullopt;
  return parse_epoch(text.substr(open + 1, text.find(')', open) - open - 1));
}

// "ci-info" and others begin with nothing; cloud-init's stage lines and ISO 8601 in front tell their own time.
std::optional<Timestamp> own_time(std::string_view text) {
  static const machine::TimeZone utc;
  const std::size_t cloud = text.find("Cloud-init v. ");
  if (cloud != std::string_view::npos)
    if (const auto line = parse_cloud_init_line(text.substr(cloud), utc)) return line->time;
  if (const auto time = parse_iso8601(text.substr(0, text.find(' ')))) return *time;
  if (const auto line = parse_cloud_init_line(text, utc)) return line->time;
  return std::nullopt;
}

Timestamp plus(Timestamp time, std::int64_t microseconds) { return Timestamp::from_microseconds(time.microseconds() + microseconds); }

// Of "Up 12.34 seconds" at the end of a stage line: when the boot began.
std::optional<Timestamp> boot_of_stage(std::string_view text, Timestamp time) {
  const std::size_t up = text.rfind("Up ");
  if (text.find("Cloud-init v. ") == std::string_view::npos || up == std::string_view::npos) return std::nullopt;
  std::string_view number = text.substr(up + 3);
  const auto seconds = parse_number<std::int64_t>(number.substr(0, number.find_first_of(". ")));
  if (!seconds || *seconds < 0 || *seconds > 100'000'000) return std::nullopt;
  return Timestamp{time.seconds - *seconds, 0};
}

}  // namespace

std::vector<ConsoleLine> parse_console(std::string_view text) {
  std::vector<ConsoleLine> lines;
  std::optional<Timestamp> boot;
  std::size_t boot_begin = 0;  // first line of this boot
  std::int64_t last_uptime = 0;
  const auto date_backwards = [&] {
    for (std::size_t i = boot_begin; i < lines.size(); ++i)
      if (!lines[i].time && lines[i].uptime_us) lines[i].time = plus(*boot, *lines[i].uptime_us);
  };
  std::uint64_t number = 0;
  for (const std::string_view raw : split_lines(text)) {
    ConsoleLine line{++number, static_cast<std::uint64_t>(raw.data() - text.data()), {}, {}, {}};
    const std::string plain = without_escapes(raw);
    std::string_view rest = plain;
    line.uptime_us = take_uptime(rest);
    if (line.uptime_us) {
      if (*line.uptime_us + 1'000'000 < last_uptime) {  // began anew
        boot.reset();
        boot_begin = lines.size();
      }
      last_uptime = *line.uptime_us;
    }
    line.text = std::string(rest);
    line.time = own_time(rest);
    if (!boot && line.time) boot = boot_of_stage(rest, *line.time);
    const bool told = boot.has_value();
    if (const auto clock = system_clock_of(rest); clock && line.uptime_us && !told) boot = plus(*clock, -*line.uptime_us);
    if (!line.time && boot && line.uptime_us) line.time = plus(*boot, *line.uptime_us);
    lines.push_back(std::move(line));
    if (boot) {
      date_backwards();
      boot_begin = lines.size();  // dated so far
    }
  }
  return lines;
}

Result<void> console_events(std::string_view text, std::string_view instance, std::string_view case_file, EventSink& sink) {
  for (const ConsoleLine& line : parse_console(text)) {
    if (!line.time) continue;
    Provenance where;
    where.kind = Provenance::Kind::kInstance;
    where.instance = std::string(instance);
    where.attribute = "console-output";
    where.case_file = std::string(case_file);
    where.line = line.line;
    where.offset = line.offset;
    where.time = line.time;
    where.excerpt = line.text.substr(0, 500);
    Event event = make_event(*line.time, "Content Recorded Time", "aws:ec2:console", line.text, std::move(where));
    put(event, "body", line.text);
    ICECORE_CHECK(sink.add(std::move(event)));
  }
  return {};
}

}  // namespace icecore::artefact
