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
#include "detect/heuristics/histories.h"
#include "detect/heuristics/logins.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::uint64_t kLimit = std::uint64_t{256} << 10;
constexpr std::array<std::string_view, 10> kFiles = {".aws/credentials",
                                                     ".git-credentials",
                                                     ".docker/config.json",
                                                     ".kube/config",
                                                     ".pgpass",
                                                     ".my.cnf",
                                                     ".netrc",
                                                     ".s3cfg",
                                                     ".boto",
                                                     ".config/gcloud/credentials.db"};

struct CredentialFile {
  machine::FileRef file;
  std::string name;  // ".aws/credentials"
  std::string user;
  std::string home;
  std::vector<std::string> keys;  // AWS access key ids
};

// "aws_access_key_id = AKIA…" in any of its files.
std::vector<std::string> access_keys(std::string_view content) {
  std::vector<std::string> keys;
  for (const TextLine& line : lines_of(content)) {
    const std::size_t equals = line.text.find('=');
    if (equals == std::string_view::npos || to_lower(trim(line.text.substr(0, equals))).find("access_key") == std::string::npos) continue;
    const std::string value(trim(line.text.substr(equals + 1)));
    if (value.size() >= 16 && value.size() <= 128 && value.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == std::string::npos &&
        keys.size() < 32)
      keys.push_back(value);
  }
  return keys;
}

Result<std::vector<CredentialFile>> credential_files(const Scene& scene) {
  std::vector<CredentialFile> files;
  ICECORE_ASSIGN(const auto homes, machine::home_folders(*scene.machine, scene.facts));
  for (const machine::HomeFolder& home : homes) {
    for (const std::string_view name : kFiles) {
      const std::string path = (home.folder.path == "/" ? "" : home.folder.path) + "/" + std::string(name);
      ICECORE_ASSIGN(const auto file, scene.machine->find(path));
      if (!file || file->info.type != fs::FileType::kRegular) continue;
      CredentialFile found{*file, std::string(name), home.user, home.folder.path, {}};
      if (name.find("aws") != std::string_view::npos || name == ".boto" || name == ".s3cfg") {
        ICECORE_ASSIGN(const auto content, scene.machine->content(*file, kLimit));
        if (content) found.keys = access_keys(*content);
      }
      files.push_back(std::move(found));
    }
  }
  return files;
}

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
