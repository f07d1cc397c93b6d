// bulk-exfiltration: a history copies a bucket or sends files out. Backups look the same, so it is high only in company: the same history read
// credentials or is an attack's, or the copy goes to or comes from a temporary or hidden folder; else low.
#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/histories.h"
#include "detect/heuristics/places.h"
#include "detect/heuristics/shell.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

bool names_odd_place(std::string_view command) {
  const auto commands = parse_commands(command);
  return std::ranges::any_of(commands, [](const Command& one) {
    return std::ranges::any_of(one.words,
                               [](std::string_view word) { return word.starts_with('/') && (is_hidden_path(word) || is_temporary_path(word)); });
  });
}

bool sends(const TellingLine& line) { return line.shows("bulk-copy") || line.shows("upload"); }

}  // namespace

ICECORE_DETECTOR(detect_exfiltration) {
  ICECORE_ASSIGN(const auto all, histories(scene, anomalies));
  for (const History& history : all) {
    const bool credentials = std::ranges::any_of(history.lines, [](const TellingLine& line) { return line.shows("credentials-read"); });
    for (const TellingLine& line : history.lines) {
      if (!sends(line)) continue;
      const bool odd_place = names_odd_place(line.entry.command);
      const bool bad = credentials || history.is_attack() || odd_place;
      Finding finding = finding_of("bulk-exfiltration");
      if (!bad) finding.severity = Severity::kLow;
      finding.confidence = !bad ? Confidence::kLow : credentials && odd_place ? Confidence::kHigh : Confidence::kMedium;
      finding.time = line.entry.time ? line.entry.time : std::optional(written(history.file.file.info));
      finding.locations.push_back(place_history(scene, history, line.entry));
      finding.sentence =
          fmt::format("{} {}, the user \"{}\" copied data in bulk: \"{}\"{}{}.", line.entry.time ? "At" : "No later than", when(*finding.time),
                      shown(history.file.user), shown(line.entry.command), credentials ? "; the same history reads stored credentials" : "",
                      odd_place ? "; it uses a temporary or hidden folder" : "");
      sink.add(std::move(finding));
    }
  }
  return {};
}

}  // namespace icecore::detect
