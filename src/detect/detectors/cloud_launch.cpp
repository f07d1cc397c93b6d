// cloud-mass-launch: many instances asked for within an hour, granted and refused. By a suspect key that is critical; by anyone else it is a note,
// for fleets are launched like that every day, unless quotas refused it again and again, which only happens to who asks for whatever he can get.
// cloud-new-key-pair: a suspect key makes or imports an SSH key pair, to get into what it launches.
#include <fmt/format.h>
#include <map>
#include <set>

#include "detect/cloud/key_use.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/logins.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::int64_t kWindow = 3600;
constexpr std::int64_t kManyInstances = 5;
constexpr std::size_t kManyCalls = 4;

bool is_launch(const CloudEvent& event) {
  return event.name() == "RunInstances" || event.name() == "RequestSpotInstances" || event.name() == "CreateFleet" ||
         event.name() == "RequestSpotFleet";
}

bool by_service(const CloudEvent& event) { return event.ip().ends_with(".amazonaws.com") || event.ip() == "AWS Internal"; }

std::int64_t wanted(const CloudEvent& event) {
  const std::int64_t count = number_named(event.request, "maxCount", number_named(event.request, "instanceCount", 1));
  return std::clamp<std::int64_t>(count, 1, 100'000);
}

Finding launch_finding(const std::vector<const CloudEvent*>& batch, bool suspect) {
  Finding finding = finding_of("cloud-mass-launch");
  std::int64_t instances = 0;
  std::size_t refused = 0;
  std::set<std::string> types;
  std::set<std::string> errors;
  for (const CloudEvent* event : batch) {
    instances += wanted(*event);
    if (event->refused()) {
      ++refused;
      errors.insert(shown(event->error(), 60));
    }
    for (const std::string& type : texts_named(event->request, "instanceType")) types.insert(shown(type, 40));
    if (finding.locations.size() < kMostLocations) finding.locations.push_back(place_cloud(*event));
  }
  finding.first = batch.front()->event->time;
  finding.last = batch.back()->event->time;
  finding.time = finding.first;
  finding.confidence = suspect ? Confidence::kHigh : Confidence::kLow;
  if (!suspect) finding.severity = refused >= 2 ? Severity::kMedium : Severity::kInfo;
  const std::int64_t minutes = seconds_between(*finding.first, *finding.last) / 60 + 1;
  finding.sentence =
      fmt::format("Within {} minute{} from {} on, {} asked from {} in {} requests for {} instances{}{}.", minutes, minutes == 1 ? "" : "s",
                  when(*finding.first), who(*batch.front()), shown(batch.front()->ip()), batch.size(), instances,
                  types.empty() ? "" : fmt::format(" of type {}", list_of({types.begin(), types.end()})),
                  refused == 0 ? "" : fmt::format("; {} requests were refused ({})", refused, list_of({errors.begin(), errors.end()})));
  return finding;
}

void launches_of(const std::vector<const CloudEvent*>& events, const std::vector<KeyUse>& suspects, FindingSink& sink) {
  for (std::size_t begin = 0; begin < events.size();) {
    std::size_t end = begin;
    std::int64_t instances = 0;
    // A batch goes on as long as no hour passes between two launches.
    while (end < events.size() && (end == begin || seconds_between(events[end - 1]->event->time, events[end]->event->time) <= kWindow))
      instances += wanted(*events[end++]);
    const bool suspect = is_suspect(suspects, *events[begin]);
    const std::vector<const CloudEvent*> batch(events.begin() + static_cast<std::ptrdiff_t>(begin),
                                               events.begin() + static_cast<std::ptrdiff_t>(end));
    // A suspect's single launch counts: the mining machine needs only one.
    if (suspect || instances >= kManyInstances || batch.size() >= kManyCalls) sink.add(launch_finding(batch, suspect));
    begin = end;
  }
}

Finding key_pair_finding(const CloudEvent& event) {
  Finding finding = finding_of("cloud-new-key-pair");
  finding.time = event.event->time;
  finding.confidence = Confidence::kHigh;
  const auto names = texts_named(event.request, "keyName");
  finding.sentence = fmt::format(
      "At {}, {} {} the SSH key pair {} from {}{}.", when(event.event->time), who(event), event.name() == "ImportKeyPair" ? "imported" : "made",
      names.empty() ? "without a name" : "\"" + shown(names.front()) + "\"", shown(event.ip()), event.refused() ? ", which was refused" : "");
  finding.locations.push_back(place_cloud(event));
  return finding;
}

}  // namespace

ICECORE_DETECTOR(detect_cloud_launch) {
  (void)anomalies;
  const auto events = cloud_events(scene);
  const auto suspects = suspect_uses(events, attacker_addresses(scene));
  std::map<std::pair<std::string_view, std::string_view>, std::vector<const CloudEvent*>> launches;
  for (const CloudEvent& event : events) {
    if (is_launch(event) && !by_service(event)) launches[{event.actor(), event.ip()}].push_back(&event);
    const bool key_pair = event.name() == "CreateKeyPair" || event.name() == "ImportKeyPair";
    if (key_pair && is_suspect(suspects, event)) sink.add(key_pair_finding(event));
  }
  for (const auto& [actor, list] : launches) launches_of(list, suspects, sink);
  return {};
}

}  // namespace icecore::detect
