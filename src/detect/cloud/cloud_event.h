// CloudTrail events with their requests parsed, as the cloud detectors want them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "detect/scene.h"

namespace icecore::detect {

/// Borrows the scene's event.
struct CloudEvent {
  const artefact::Event* event = nullptr;
  Json request;   ///< requestParameters, or null
  Json response;  ///< responseElements, or null

  std::string_view name() const { return event->field("event_name"); }
  std::string_view ip() const { return event->field("ip"); }
  std::string_view error() const { return event->field("error_code"); }
  bool denied() const;  ///< refused for want of permission
  bool refused() const { return !error().empty(); }
  /// Who did it: the access key, or for sessions without one the principal's ARN.
  std::string_view actor() const;
  /// Asks only: Get, List, Describe, Lookup …
  bool is_recon() const;
  /// Changes what an intruder would change: machines, keys, users, logging, rules.
  bool is_act() const;
};

/// All of the scene, in order of time, without those of the responder's own keys.
std::vector<CloudEvent> cloud_events(const Scene& scene);

/// Every text under a member of that name, at any depth ("cidrIp"): request shapes differ between API versions.
std::vector<std::string> texts_named(const Json& value, std::string_view member);
/// The first number (or number as text) under that name.
std::int64_t number_named(const Json& value, std::string_view member, std::int64_t fallback);
/// True where the member is somewhere in it.
bool has_member(const Json& value, std::string_view member);

Provenance place_cloud(const CloudEvent& event);
std::string who(const CloudEvent& event);  ///< "access key AKIA… (user/deploy-bot)"

}  // namespace icecore::detect
