// cloud-user-data-changed: an instance's user-data can only be changed while it is stopped, and cloud-init runs it at the next start: whoever may
// call ModifyInstanceAttribute gets a root shell that way. The stop and start around it belong to the finding. Without a suspect key, a change with
// its stop and start is medium if it comes from an address that is new for the actor, else low.
#include <fmt/format.h>

#include "detect/cloud/key_use.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/logins.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::int64_t kAround = 3600;

std::string instance_of(const CloudEvent& event) {
  const auto ids = texts_named(event.request, "instanceId");
  return ids.empty() ? std::string() : ids.front();
}

bool names_instance(const CloudEvent& event, const std::string& instance) {
  for (const std::string& id : texts_named(event.request, "instanceId"))
    if (id == instance) return true;
  return false;
}

struct Around {
  const CloudEvent* stop = nullptr;
  const CloudEvent* start = nullptr;
};

Around around(const std::vector<CloudEvent>& events, const CloudEvent& change) {
  Around found;
  const std::string instance = instance_of(change);
  for (const CloudEvent& event : events) {
    const std::int64_t after = seconds_between(change.event->time, event.event->time);
    if (event.actor() != change.actor() || after < -kAround || after > kAround || !names_instance(event, instance)) continue;
    if (event.name() == "StopInstances" && after <= 0) found.stop = &event;
    if (event.name() == "StartInstances" && after >= 0 && found.start == nullptr) found.start = &event;
  }
  return found;
}

bool familiar(const std::vector<CloudEvent>& events, const CloudEvent& change) {
  for (const CloudEvent& event : events)
    if (event.actor() == change.actor() && event.ip() == change.ip() && seconds_between(event.event->time, change.event->time) > 86400) return true;
  return false;
}

}  // namespace

ICECORE_DETECTOR(detect_cloud_user_data) {
  (void)anomalies;
  const auto events = cloud_events(scene);
  const auto suspects = suspect_uses(events, attacker_addresses(scene));
  for (const CloudEvent& event : events) {
    if (event.name() != "ModifyInstanceAttribute" || !has_member(event.request, "userData")) continue;
    const bool suspect = is_suspect(suspects, event);
    const Around near = around(events, event);
    Finding finding = finding_of("cloud-user-data-changed");
    if (!suspect) finding.severity = near.start != nullptr && !familiar(events, event) ? Severity::kMedium : Severity::kLow;
    finding.confidence = suspect ? Confidence::kHigh : Confidence::kLow;
    finding.time = event.event->time;
    finding.first = near.stop != nullptr ? near.stop->event->time : event.event->time;
    finding.last = near.start != nullptr ? near.start->event->time : event.event->time;
    finding.locations.push_back(place_cloud(event));
    if (near.stop != nullptr) finding.locations.push_back(place_cloud(*near.stop));
    if (near.start != nullptr) finding.locations.push_back(place_cloud(*near.start));
    const std::string restart =
        near.start == nullptr ? "" : fmt::format(", and started it again at {}, so that the new user-data could run", when(near.start->event->time));
    finding.sentence = fmt::format("At {}, {} replaced the user-data of {} from {}{}{}.", when(event.event->time), who(event),
                                   shown(instance_of(event)), shown(event.ip()), event.refused() ? " (refused)" : "", restart);
    sink.add(std::move(finding));
  }
  return {};
}

}  // namespace icecore::detect
