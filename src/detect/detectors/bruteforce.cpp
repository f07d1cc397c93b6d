// ssh-bruteforce-success: an address guessed passwords until it got in (logins.h has the thresholds). Each witness — auth.log, journal, btmp, wtmp —
// is named with its first and last failure and with the login, because one of them may have been cut.
#include <fmt/format.h>
#include <map>
#include <set>

#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/logins.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

Finding finding_for(const BruteForce& attack) {
  Finding finding = finding_of("ssh-bruteforce-success");
  finding.confidence = Confidence::kHigh;
  std::map<std::string, std::pair<const LoginAttempt*, const LoginAttempt*>> by_file;
  std::set<std::string> users;
  for (const LoginAttempt& failure : attack.failures) {
    auto& [first, last] = by_file[failure.event->where.path];
    if (first == nullptr) first = &failure;
    last = &failure;
    users.insert(failure.user);
    if (!finding.first) finding.first = failure.time;
  }
  std::set<std::string> witnesses;
  for (const LoginAttempt& login : attack.accepted) {
    finding.locations.push_back(place_event(*login.event));
    witnesses.insert(login.witness);
    if (!finding.time) finding.time = login.time;
  }
  for (const auto& [path, ends] : by_file) {
    finding.locations.push_back(place_event(*ends.first->event));
    if (ends.second != ends.first) finding.locations.push_back(place_event(*ends.second->event));
    witnesses.insert(ends.first->witness);
  }
  finding.last = finding.time;
  const LoginAttempt& login = attack.accepted.front();
  finding.sentence =
      fmt::format("{} failed SSH logins from {} against {} user name{} from {} on ended in a login as \"{}\" at {}{} (seen by {}).", attack.count,
                  shown(attack.address), users.size(), users.size() == 1 ? "" : "s", when(finding.first.value_or(login.time)), shown(login.user),
                  when(login.time), login.password ? " with a password" : "", list_of({witnesses.begin(), witnesses.end()}, 6));
  return finding;
}

}  // namespace

ICECORE_DETECTOR(detect_bruteforce) {
  (void)anomalies;
  for (const BruteForce& attack : brute_forces(scene))
    if (!attack.accepted.empty()) sink.add(finding_for(attack));
  return {};
}

}  // namespace icecore::detect
