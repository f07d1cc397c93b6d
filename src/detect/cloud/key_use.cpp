#include "detect/cloud/key_use.h"

#include <algorithm>
#include <map>
#include <set>

#include "detect/evidence.h"
#include "detect/heuristics/addresses.h"

namespace icecore::detect {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 86400;
constexpr int kSuspect = 5;

void count(KeyUse& use, bool holds, int points, std::string reason) {
  if (!holds) return;
  use.score += points;
  if (points > 0) use.reasons.push_back(std::move(reason));
}

bool used_elsewhere_before(const KeyUse& use, const std::vector<KeyUse>& all) {
  return std::ranges::any_of(all, [&](const KeyUse& other) {
    return other.actor == use.actor && other.ip != use.ip && seconds_between(other.first(), use.first()) > kHour;
  });
}

bool familiar_address(const KeyUse& use, const std::vector<KeyUse>& all) {
  return std::ranges::any_of(
      all, [&](const KeyUse& other) { return other.actor != use.actor && other.ip == use.ip && seconds_between(other.first(), use.first()) > kDay; });
}

void rate(KeyUse& use, const std::vector<KeyUse>& all, bool attacker) {
  std::set<std::string_view> questions;
  bool identity = false;
  bool refused_question = false;
  bool act = false;
  bool refused_act = false;
  bool silenced = false;
  for (const CloudEvent* event : use.events) {
    const bool early = seconds_between(use.first(), event->event->time) <= kHour;
    if (event->is_recon() && early) questions.insert(event->name());
    identity = identity || (early && event->name() == "GetCallerIdentity");
    refused_question = refused_question || (event->is_recon() && event->denied());
    act = act || event->is_act();
    silenced = silenced || event->name() == "StopLogging" || event->name() == "DeleteTrail" || event->name() == "DeleteDetector";
    refused_act = refused_act || (event->is_act() && event->refused());
  }
  const bool new_place = used_elsewhere_before(use, all);
  count(use, new_place, 2, "the key had never been used from there before");
  count(use, identity, 1, "it first asked whose key it is");
  count(use, questions.size() >= 3, 1, "it looked around");
  count(use, refused_question, 2, "it asked for what the key may not see");
  count(use, act, 2, "it then changed machines, keys or logging");
  count(use, refused_act, 1, "some of that was refused");
  count(use, silenced, 1, "it tried to end the logging");
  count(use, attacker, 3, "the machine itself was attacked from that address");
  count(use, familiar_address(use, all), -3, {});
  const bool telling = refused_question || refused_act || attacker || (new_place && silenced);
  if (!telling) use.score = std::min(use.score, kSuspect - 1);
}

}  // namespace

std::vector<KeyUse> suspect_uses(const std::vector<CloudEvent>& events, const std::vector<std::string>& attacker_addresses) {
  std::map<std::pair<std::string_view, std::string_view>, KeyUse> groups;
  for (const CloudEvent& event : events) {
    // AWS's own services call on a principal's behalf ("autoscaling.amazonaws.com"): no address, no theft.
    if (event.actor().empty() || !parse_address(event.ip())) continue;
    groups[{event.actor(), event.ip()}].events.push_back(&event);
  }
  std::vector<KeyUse> all;
  for (auto& [key, use] : groups) {
    use.actor = key.first;
    use.ip = key.second;
    all.push_back(std::move(use));
  }
  for (KeyUse& use : all) rate(use, all, std::ranges::find(attacker_addresses, use.ip) != attacker_addresses.end());
  // Whoever steals one key often finds the next on the machine.
  std::set<std::string> bad;
  for (const KeyUse& use : all)
    if (use.score >= kSuspect) bad.insert(use.ip);
  for (KeyUse& use : all) {
    if (use.score >= kSuspect || !bad.contains(use.ip)) continue;
    use.score += 5;
    use.reasons.emplace_back("another stolen key was used from the same address");
  }
  std::erase_if(all, [](const KeyUse& use) { return use.score < kSuspect; });
  std::ranges::sort(all, {}, &KeyUse::first);
  return all;
}

bool is_suspect(const std::vector<KeyUse>& uses, const CloudEvent& event) {
  return std::ranges::any_of(uses, [&](const KeyUse& use) { return use.actor == event.actor() && use.ip == event.ip(); });
}

}  // namespace icecore::detect
