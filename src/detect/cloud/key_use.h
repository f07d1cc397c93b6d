// How access keys were used from where, and which of these uses look stolen.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "detect/cloud/cloud_event.h"

namespace icecore::detect {

/// All that one actor did from one address.
struct KeyUse {
  std::string actor, ip;
  std::vector<const CloudEvent*> events;  ///< in order of time; never empty
  int score = 0;
  std::vector<std::string> reasons;  ///< for sentences: "it had not been used from there before"
  Timestamp first() const { return events.front()->event->time; }
};

/// Uses that add up to a stolen key. What counts: an address new for this key (2), GetCallerIdentity first of all (1), three kinds of questions
/// within an hour (1), refused questions (2), changes to machines, keys or logging (2), refused changes (1), an end of the
/// logging (1), an address from which the machine itself
/// was attacked (3). From 5 on it is suspect, provided that something was refused, the address is a known attacker's, or logging was ended from a new
/// place: an administrator from a new place is refused nothing. An address that other keys had used for a day before is familiar (−3). Then every
/// other key that was used from a suspect use's address is suspect too (5).
std::vector<KeyUse> suspect_uses(const std::vector<CloudEvent>& events, const std::vector<std::string>& attacker_addresses);

/// Whether the event belongs to one of them.
bool is_suspect(const std::vector<KeyUse>& uses, const CloudEvent& event);

}  // namespace icecore::detect
