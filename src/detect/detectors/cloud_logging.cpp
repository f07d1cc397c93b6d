// cloud-logging-tampered: somebody tries to stop what records him. To try is enough: StopLogging refused is as telling as StopLogging granted.
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <map>

#include "detect/cloud/key_use.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/logins.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

// Ends logging or detection whoever calls it.
constexpr std::array<std::string_view, 12> kEnds = {
    "StopLogging",        "DeleteTrail",          "DeleteFlowLogs", "DeleteDetector",  "StopConfigurationRecorder",     "DeleteConfigurationRecorder",
    "DisableSecurityHub", "DeleteEventDataStore", "DeleteLogGroup", "DeleteLogStream", "DisassociateFromMasterAccount", "DeleteMembers"};
// Changes it, which administrators do as well.
constexpr std::array<std::string_view, 7> kChanges = {"UpdateTrail", "PutEventSelectors",  "PutInsightSelectors", "UpdateDetector",
                                                      "RemoveTags",  "PutRetentionPolicy", "DeleteAlarms"};

template <std::size_t N>
bool one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::ranges::find(names, name) != names.end();
}

bool is_log_service(const CloudEvent& event) {
  const std::string_view source = event.event->field("event_source");
  for (const std::string_view service : {"cloudtrail.", "guardduty.", "config.", "securityhub.", "logs.", "monitoring.", "ec2."})
    if (source.starts_with(service)) return true;
  return source.empty();
}

std::optional<Severity> severity_of(const CloudEvent& event, bool suspect) {
  if (!is_log_service(event)) return std::nullopt;
  if (one_of(event.name(), kEnds)) {
    // A log group is deleted with the application that wrote it.
    if (event.name().starts_with("DeleteLog") && !suspect) return Severity::kLow;
    return suspect || event.name() == "StopLogging" || event.name() == "DeleteTrail" ? Severity::kCritical : Severity::kMedium;
  }
  if (one_of(event.name(), kChanges)) return suspect ? Severity::kCritical : Severity::kLow;
  return std::nullopt;
}

}  // namespace

ICECORE_DETECTOR(detect_cloud_logging) {
  (void)anomalies;
  const auto events = cloud_events(scene);
  const auto suspects = suspect_uses(events, attacker_addresses(scene));
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, Finding> findings;
  for (const CloudEvent& event : events) {
    const bool suspect = is_suspect(suspects, event);
    const auto severity = severity_of(event, suspect);
    if (!severity) continue;
    auto [at, added] = findings.try_emplace({event.actor(), event.ip(), event.name()}, finding_of("cloud-logging-tampered"));
    Finding& finding = at->second;
    if (added) {
      finding.severity = *severity;
      finding.confidence = suspect ? Confidence::kHigh : Confidence::kMedium;
      finding.time = finding.first = event.event->time;
      finding.sentence = fmt::format("At {}, {} called {} from {}, which {}.", when(event.event->time), who(event), event.name(), shown(event.ip()),
                                     event.refused() ? fmt::format("was refused ({})", shown(event.error())) : "succeeded");
    }
    finding.last = event.event->time;
    if (finding.locations.size() < kMostLocations) finding.locations.push_back(place_cloud(event));
  }
  for (auto& [key, finding] : findings) sink.add(std::move(finding));
  return {};
}

}  // namespace icecore::detect
