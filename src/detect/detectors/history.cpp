// shell-history-attack: a history that shows what hardly any administrator types, or many things that few do (tricks.h, weights).
// history-disabled: a history that leads nowhere: a link to /dev/null, which bash writes through without complaint.
#include <fmt/format.h>
#include <algorithm>

#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/histories.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

Finding attack_finding(const Scene& scene, const History& history) {
  Finding finding = finding_of("shell-history-attack");
  finding.confidence = history.score >= 6 ? Confidence::kHigh : Confidence::kMedium;
  std::vector<std::string> meanings;
  std::size_t count = 0;
  for (const TellingLine& line : history.lines) {
    ++count;
    if (finding.locations.size() < kMostLocations) finding.locations.push_back(place_history(scene, history, line.entry));
    for (const Trick* trick : line.tricks)
      if (std::ranges::find(meanings, trick->meaning) == meanings.end()) meanings.emplace_back(trick->meaning);
    if (!line.entry.time) continue;
    if (!finding.first || *line.entry.time < *finding.first) finding.first = line.entry.time;
    if (!finding.last || *line.entry.time > *finding.last) finding.last = line.entry.time;
  }
  finding.time = finding.first ? finding.first : std::optional(written(history.file.file.info));
  const std::string span = finding.first ? fmt::format("between {} and {}", when(*finding.first), when(*finding.last))
                                         : fmt::format("no later than {}", when(*finding.time));
  finding.sentence = fmt::format("{} of the user \"{}\" holds {} telling command{}, {}: the user {}.", shown(history.file.file.path),
                                 shown(history.file.user), count, count == 1 ? "" : "s", span, list_of(meanings, 6));
  return finding;
}

Finding disabled_finding(const Scene& scene, const History& history) {
  Finding finding = finding_of("history-disabled");
  finding.confidence = Confidence::kHigh;
  finding.time = appeared(history.file.file.info);
  finding.locations.push_back(place_link(scene, history.file.file, history.file.link_target));
  finding.sentence = fmt::format("Since {}, the shell history {} of the user \"{}\" is a link to {}: nothing that is typed is kept.",
                                 when(*finding.time), shown(history.file.file.path), shown(history.file.user), shown(history.file.link_target));
  return finding;
}

}  // namespace

ICECORE_DETECTOR(detect_history) {
  ICECORE_ASSIGN(const auto all, histories(scene, anomalies));
  for (const History& history : all) {
    if (history.file.link_target == "/dev/null") sink.add(disabled_finding(scene, history));
    if (history.is_attack()) sink.add(attack_finding(scene, history));
  }
  return {};
}

}  // namespace icecore::detect
