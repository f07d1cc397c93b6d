// log-gap: what the journal (or btmp) saw and auth.log should have, but has not. Each authentication message of the journal is looked for in the text
// logs, by program and text within two seconds. Only messages within the time that one text file covers count, so that rotation and retention are no
// gap; only of programs that this log does record, so that a filter of rsyslog is none. Five messages or more that are missing close together (no
// half hour between two) make a finding; lines that were left between them do not end it.
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "core/text.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/shell.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::int64_t kTolerance = 2;
constexpr std::int64_t kClusterPause = 1800;
constexpr std::size_t kLeastMissing = 5;

bool is_journal(const artefact::Event& event) {
  const std::string_view name = base_name(event.where.path);
  return name.ends_with(".journal") || name.ends_with(".journal~");
}

bool is_auth_file(const artefact::Event& event) {
  const std::string_view name = base_name(event.where.path);
  return name.starts_with("auth.log") || name == "secure" || name.starts_with("secure-") || name.starts_with("secure.");
}

// CRON's "(root) CMD" goes to another facility than what PAM says in its name.
bool is_auth_message(const artefact::Event& event) {
  static constexpr std::array<std::string_view, 12> kPrograms = {"sshd",    "sshd-session", "sudo",     "su",     "systemd-logind", "useradd",
                                                                 "usermod", "userdel",      "groupadd", "passwd", "chpasswd",       "login"};
  const std::string_view reporter = event.field("reporter");
  return std::ranges::find(kPrograms, reporter) != kPrograms.end() || event.field("body").starts_with("pam_unix(");
}

// A hash stands for the message: a million lines would be a second copy of the logs in memory.
std::size_t key_of(const artefact::Event& event) {
  const std::hash<std::string_view> hash;
  return hash(event.field("reporter")) * 31 + hash(trim(event.field("body")));
}

struct TextLog {
  std::vector<const artefact::Event*> lines;  // in order of time
  bool covers(const Timestamp& time) const { return lines.front()->time < time && time < lines.back()->time; }
  // The lines between which a moment lies.
  std::pair<const artefact::Event*, const artefact::Event*> around(const Timestamp& from, const Timestamp& to) const {
    const auto after = std::ranges::upper_bound(lines, to, {}, &artefact::Event::time);
    auto before = std::ranges::lower_bound(lines, from, {}, &artefact::Event::time);
    if (before != lines.begin()) --before;
    return {*before, after == lines.end() ? lines.back() : *after};
  }
};

struct Logs {
  std::map<std::string, TextLog> files;
  std::unordered_map<std::size_t, std::vector<Timestamp>> times;  // of each message, ascending
  std::set<std::string, std::less<>> reporters;
  std::vector<const artefact::Event*> witnesses;  // ascending
};

Logs gather(const Scene& scene) {
  Logs logs;
  for (const artefact::Event& event : scene.events.all()) {
    if (event.where.kind != Provenance::Kind::kFile) continue;
    if (is_auth_file(event)) {
      logs.files[event.where.path].lines.push_back(&event);
      logs.times[key_of(event)].push_back(event.time);
      logs.reporters.emplace(event.field("reporter"));
    } else if (is_journal(event) && is_auth_message(event)) {
      logs.witnesses.push_back(&event);
    }
  }
  return logs;
}

bool is_recorded(const Logs& logs, const artefact::Event& event) {
  const auto found = logs.times.find(key_of(event));
  if (found == logs.times.end()) return false;
  const auto at = std::ranges::lower_bound(found->second, Timestamp{event.time.seconds - kTolerance, event.time.nanoseconds});
  return at != found->second.end() && seconds_between(event.time, *at) <= kTolerance;
}

struct Cluster {
  const TextLog* log = nullptr;
  std::string path;
  std::vector<const artefact::Event*> missing;
};

std::vector<Cluster> clusters(const Logs& logs) {
  std::vector<Cluster> found;
  for (const auto& [path, log] : logs.files) {
    Cluster open{&log, path, {}};
    const auto close = [&] {
      if (open.missing.size() >= kLeastMissing) found.push_back(open);
      open.missing.clear();
    };
    for (const artefact::Event* event : logs.witnesses) {
      if (!log.covers(event->time) || !logs.reporters.contains(event->field("reporter"))) continue;
      if (is_recorded(logs, *event)) {
        if (!open.missing.empty() && seconds_between(open.missing.back()->time, event->time) > kClusterPause) close();
        continue;
      }
      // Lines that stayed between those that were cut (of cron, say) do not end the gap; a long stretch of them does.
      if (!open.missing.empty() && seconds_between(open.missing.back()->time, event->time) > kClusterPause) close();
      open.missing.push_back(event);
    }
    close();
  }
  return found;
}

Finding finding_for(const Cluster& cluster) {
  Finding finding = finding_of("log-gap");
  const Timestamp from = cluster.missing.front()->time;
  const Timestamp to = cluster.missing.back()->time;
  const auto [before, after] = cluster.log->around(from, to);
  finding.confidence = cluster.missing.size() >= 20 ? Confidence::kHigh : Confidence::kMedium;
  finding.first = from;
  finding.last = to;
  finding.time = from;
  std::size_t kept = 0;
  for (const artefact::Event* line : cluster.log->lines) kept += line->time > from && line->time < to ? 1U : 0U;
  if (kept == 0) {  // everything was cut: the gap reaches from line to line
    finding.first = before->time;
    finding.last = after->time;
  }
  finding.locations = {place_event(*before), place_event(*after), place_event(*cluster.missing.front())};
  finding.locations.push_back(place_event(*cluster.missing.back()));
  std::set<std::string> addresses;
  for (const artefact::Event* event : cluster.missing)
    if (!event->field("ip").empty()) addresses.insert(shown(event->field("ip"), 60));
  finding.sentence =
      fmt::format("{} lacks {} messages between {} and {} that the journal has{}{}: lines were cut out.", shown(cluster.path), cluster.missing.size(),
                  when(from), when(to), addresses.empty() ? "" : fmt::format(" (of {})", list_of({addresses.begin(), addresses.end()}, 3)),
                  kept > 0 ? fmt::format("; {} other lines were left", kept) : "");
  return finding;
}

}  // namespace

ICECORE_DETECTOR(detect_log_gap) {
  (void)anomalies;
  const Logs logs = gather(scene);
  const auto found = clusters(logs);
  std::size_t missing = 0;
  for (const Cluster& cluster : found) missing += cluster.missing.size();
  for (const Cluster& cluster : found) {
    Finding finding = finding_for(cluster);
    // Most of what the journal has is missing, again and again: the two are set up to differ.
    if (found.size() > 10 && missing * 2 > logs.witnesses.size()) {
      finding.severity = Severity::kLow;
      finding.confidence = Confidence::kLow;
    }
    sink.add(std::move(finding));
  }
  return {};
}

}  // namespace icecore::detect
