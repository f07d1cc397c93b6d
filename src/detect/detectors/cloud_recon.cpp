// cloud-key-recon: a stolen access key is tried out. The heuristic is key_use.h's score.
#include <fmt/format.h>
#include <set>

#include "detect/cloud/key_use.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/logins.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

Finding recon_finding(const KeyUse& use) {
  Finding finding = finding_of("cloud-key-recon");
  std::set<std::string> names;
  std::size_t refused = 0;
  for (const CloudEvent* event : use.events) {
    if (!event->is_recon()) continue;
    names.emplace(event->name());
    refused += event->denied() ? 1U : 0U;
    finding.last = event->event->time;
    if (!finding.first) finding.first = event->event->time;
    if (finding.locations.size() < kMostLocations) finding.locations.push_back(place_cloud(*event));
  }
  finding.time = finding.first;
  finding.confidence = use.score >= 7 ? Confidence::kHigh : Confidence::kMedium;
  std::vector<std::string> shown_names;
  shown_names.reserve(names.size());
  for (const std::string& name : names) shown_names.push_back(shown(name));
  finding.sentence = fmt::format("{} was tried out from {} from {} on: {}{}; {}.", capital(who(*use.events.front())), shown(use.ip),
                                 when(finding.time.value_or(use.first())), list_of(shown_names, 6),
                                 refused > 0 ? fmt::format(" ({} refused)", refused) : "", list_of(use.reasons, 8));
  return finding;
}

}  // namespace

ICECORE_DETECTOR(detect_cloud_recon) {
  (void)anomalies;
  const auto events = cloud_events(scene);
  for (const KeyUse& use : suspect_uses(events, attacker_addresses(scene))) {
    Finding finding = recon_finding(use);
    if (!finding.locations.empty()) sink.add(std::move(finding));
  }
  return {};
}

}  // namespace icecore::detect
