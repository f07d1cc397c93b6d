// cloud-open-ingress: a security group opened to everyone. High by a suspect key. By others it is a weakness and no act of an intruder: low for ports
// that nobody should offer to the Internet, nothing for a web server's.
#include <fmt/format.h>

#include "detect/cloud/key_use.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/logins.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

bool opens_to_all(const CloudEvent& event) {
  for (const std::string_view member : {"cidrIp", "cidrIpv6"})
    for (const std::string& range : texts_named(event.request, member))
      if (range == "0.0.0.0/0" || range == "::/0") return true;
  return false;
}

bool is_web_only(std::int64_t from, std::int64_t to) { return from == to && (from == 80 || from == 443); }

std::string ports(std::int64_t from, std::int64_t to) {
  if (from < 0) return "all ports";
  return from == to ? fmt::format("port {}", from) : fmt::format("ports {} to {}", from, to);
}

}  // namespace

ICECORE_DETECTOR(detect_cloud_ingress) {
  (void)anomalies;
  const auto events = cloud_events(scene);
  const auto suspects = suspect_uses(events, attacker_addresses(scene));
  for (const CloudEvent& event : events) {
    const bool rule = event.name() == "AuthorizeSecurityGroupIngress" || event.name() == "ModifySecurityGroupRules";
    if (!rule || !opens_to_all(event)) continue;
    const bool suspect = is_suspect(suspects, event);
    const std::int64_t from = number_named(event.request, "fromPort", -1);
    const std::int64_t to = number_named(event.request, "toPort", from);
    if (!suspect && (is_web_only(from, to) || event.refused())) continue;
    Finding finding = finding_of("cloud-open-ingress");
    if (!suspect) finding.severity = Severity::kLow;
    finding.confidence = suspect ? Confidence::kHigh : Confidence::kMedium;
    finding.time = event.event->time;
    const auto groups = texts_named(event.request, "groupId");
    finding.sentence = fmt::format("At {}, {} opened {} of security group {} to the whole Internet, from {}{}.", when(event.event->time), who(event),
                                   ports(from, to), groups.empty() ? "(unnamed)" : shown(groups.front()), shown(event.ip()),
                                   event.refused() ? "; it was refused" : "");
    finding.locations.push_back(place_cloud(event));
    sink.add(std::move(finding));
  }
  return {};
}

}  // namespace icecore::detect
