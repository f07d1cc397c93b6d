// credential-file-read: stored credentials were read by somebody who should not. Reading leaves little: a command in a history that names the file,
// the file's access time (relatime: kept only when it was older than the last change, or by a day), and for AWS keys their use from an address new to
// them. Counted:
//   - the key in the file was used from an attacker's or otherwise suspect address, or from one where it had never been used, after the file had been
//   read: high;
//   - a history reads the file and within an hour asks the cloud, copies in bulk or sends files out, or is an attack's history: high;
//   - a history reads the file, and nothing more: low, for people look at their own settings.
#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "core/text.h"
#include "detect/cloud/key_use.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/credential_files.h"
#include "detect/heuristics/histories.h"
#include "detect/heuristics/logins.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::int64_t kHour = 3600;

// The history of the same user names it by its tail; any other by its whole path.
bool names_file(const History& history, std::string_view command, const CredentialFile& file) {
  const bool own = history.file.file.path.starts_with(file.home + "/");
  return command.find(file.file.path) != std::string_view::npos || (own && command.find(file.name) != std::string_view::npos);
}

bool goes_on(const History& history, const TellingLine& reading) {
  return std::ranges::any_of(history.lines, [&](const TellingLine& line) {
    const bool use = line.shows("cloud-recon") || line.shows("bulk-copy") || line.shows("upload");
    if (!use || line.entry.line < reading.entry.line) return false;
    return !line.entry.time || !reading.entry.time || seconds_between(*reading.entry.time, *line.entry.time) <= kHour;
  });
}

struct Uses {
  std::vector<const CloudEvent*> events;
  bool attacker = false;
};

Uses foreign_uses(const CredentialFile& file, const std::vector<CloudEvent>& events, const std::vector<KeyUse>& suspects,
                  const std::vector<std::string>& attackers, bool was_read) {
  Uses uses;
  for (const std::string& key : file.keys) {
    std::set<std::string_view> before;  // addresses from which the key was used before the file was read
    for (const CloudEvent& event : events)
      if (event.actor() == key && event.event->time < file.file.info.accessed) before.insert(event.ip());
    for (const CloudEvent& event : events) {
      if (event.actor() != key) continue;
      const bool attacker = std::ranges::find(attackers, event.ip()) != attackers.end() || is_suspect(suspects, event) ||
                            std::ranges::any_of(suspects, [&](const KeyUse& use) { return use.ip == event.ip(); });
      const bool new_place = was_read && event.event->time >= file.file.info.accessed && !before.contains(event.ip());
      if (!attacker && !new_place) continue;
      uses.attacker = uses.attacker || attacker;
      uses.events.push_back(&event);
    }
  }
  return uses;
}

void judge(const Scene& scene, const CredentialFile& file, const std::vector<History>& all, const std::vector<CloudEvent>& events,
           const std::vector<KeyUse>& suspects, const std::vector<std::string>& attackers, FindingSink& sink) {
  Finding finding = finding_of("credential-file-read");
  finding.locations.push_back(place(scene, file.file));
  finding.locations.back().time = file.file.info.accessed;
  std::optional<Timestamp> typed;
  bool hostile = false;
  std::string command;
  for (const History& history : all) {
    for (const TellingLine& line : history.lines) {
      if (!line.shows("credentials-read") || !names_file(history, line.entry.command, file)) continue;
      if (command.empty()) command = line.entry.command;
      if (!typed) typed = line.entry.time;
      hostile = hostile || goes_on(history, line) || history.is_attack();
      if (finding.locations.size() < kMostLocations) finding.locations.push_back(place_history(scene, history, line.entry));
    }
  }
  const Uses uses = foreign_uses(file, events, suspects, attackers, !command.empty());
  if (command.empty() && !uses.attacker) return;
  finding.time = file.file.info.accessed;
  finding.first = typed ? std::min(*typed, *finding.time) : *finding.time;
  finding.last = *finding.time;
  for (const CloudEvent* event : uses.events) {
    finding.last = std::max(*finding.last, event->event->time);
    if (finding.locations.size() < kMostLocations) finding.locations.push_back(place_cloud(*event));
  }
  if (uses.events.empty() && !hostile) finding.severity = Severity::kLow;
  finding.confidence = !uses.events.empty() ? Confidence::kHigh : hostile ? Confidence::kMedium : Confidence::kLow;
  const std::string used = uses.events.empty() ? ""
                                               : fmt::format("; its key {} was used from {} from {} on", shown(uses.events.front()->actor()),
                                                             shown(uses.events.front()->ip()), when(uses.events.front()->event->time));
  finding.sentence =
      fmt::format("The credentials in {} of the user \"{}\" were last read at {}{}{}.", shown(file.file.path), shown(file.user),
                  when(file.file.info.accessed), command.empty() ? "" : fmt::format(", and a shell history shows \"{}\"", shown(command)), used);
  sink.add(std::move(finding));
}

}  // namespace

ICECORE_DETECTOR(detect_credentials) {
  if (!scene.has_machine()) return {};
  ICECORE_ASSIGN(const auto files, credential_files(scene));
  if (files.empty()) return {};
  ICECORE_ASSIGN(const auto all, histories(scene, anomalies));
  const auto events = cloud_events(scene);
  const auto attackers = attacker_addresses(scene);
  const auto suspects = suspect_uses(events, attackers);
  for (const CredentialFile& file : files) judge(scene, file, all, events, suspects, attackers, sink);
  return {};
}

}  // namespace icecore::detect
