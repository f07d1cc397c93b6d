#include "detect/heuristics/logins.h"

#include <algorithm>

#include "detect/evidence.h"
#include "detect/heuristics/addresses.h"
#include "detect/heuristics/shell.h"

namespace icecore::detect {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 86400;
constexpr std::size_t kFastFailures = 20;
constexpr std::size_t kSlowFailures = 50;
constexpr std::size_t kMostAttempts = 1'000'000;

std::string witness_of(const artefact::Event& event) {
  if (event.data_type.starts_with("linux:utmp")) return std::string(event.field("file"));
  const std::string_view name = base_name(event.where.path);
  if (name.ends_with(".journal") || name.ends_with(".journal~") || event.data_type.starts_with("systemd:journal")) return "journal";
  // auth.log, auth.log.1 and auth.log.2.gz are one witness.
  return std::string(name.substr(0, name.find(".log") == std::string_view::npos ? name.find('.') : name.find(".log") + 4));
}

std::string normal_address(std::string_view text) {
  const auto address = parse_address(text);
  if (!address) return {};
  if (text.starts_with("::ffff:") && address->is_v4()) text.remove_prefix(7);
  return std::string(text);
}

// utmp writes what sshd does with a terminal; lines of sshd itself say more.
bool from_utmp(const artefact::Event& event, LoginAttempt& attempt) {
  const std::string_view file = event.field("file");
  const std::string_view type = event.field("type");
  if (file.starts_with("btmp")) return true;
  attempt.accepted = type == "USER_PROCESS" && !file.starts_with("btmp");
  return attempt.accepted && file.starts_with("wtmp");
}

bool from_message(const artefact::Event& event, LoginAttempt& attempt) {
  const std::string_view reporter = event.field("reporter");
  if (!reporter.empty() && !reporter.starts_with("sshd")) return false;
  const std::string_view action = event.field("action");
  attempt.accepted = action == "accepted";
  attempt.password = attempt.accepted && event.field("method") != "publickey";
  attempt.fingerprint = event.field("fingerprint");
  return attempt.accepted || action == "failed";
}

// Failures before `accepted` in time, on one witness, inside the window that ends with the last of them.
std::size_t burst(const std::vector<LoginAttempt>& attempts, const std::string& witness, const Timestamp& until, std::int64_t window) {
  std::size_t best = 0;
  std::vector<Timestamp> times;
  for (const LoginAttempt& attempt : attempts)
    if (!attempt.accepted && attempt.witness == witness && attempt.time <= until && seconds_between(attempt.time, until) <= kDay + window)
      times.push_back(attempt.time);
  for (std::size_t begin = 0, end = 0; end < times.size(); ++end) {
    while (seconds_between(times[begin], times[end]) > window) ++begin;
    best = std::max(best, end - begin + 1);
  }
  return best;
}

std::optional<BruteForce> brute_force_from(const std::string& address, const std::vector<LoginAttempt>& attempts) {
  std::vector<std::string> witnesses;
  for (const LoginAttempt& attempt : attempts)
    if (!attempt.accepted && std::ranges::find(witnesses, attempt.witness) == witnesses.end()) witnesses.push_back(attempt.witness);
  for (const LoginAttempt& login : attempts) {
    if (!login.accepted) continue;
    // Whole seconds in utmp may put the login before the failure of the same second.
    const Timestamp until{login.time.seconds + 1, login.time.nanoseconds};
    std::size_t most = 0;
    bool fast_or_slow = false;
    for (const std::string& witness : witnesses) {
      const std::size_t fast = burst(attempts, witness, until, kHour);
      const std::size_t slow = burst(attempts, witness, until, kDay);
      most = std::max({most, fast, slow});
      fast_or_slow = fast_or_slow || fast >= kFastFailures || slow >= kSlowFailures;
    }
    if (!fast_or_slow) continue;
    BruteForce found{address, {}, most, {}};
    for (const LoginAttempt& attempt : attempts) {
      if (!attempt.accepted && attempt.time <= until && seconds_between(attempt.time, until) <= 2 * kDay) found.failures.push_back(attempt);
      const bool same_login = attempt.accepted && seconds_between(login.time, attempt.time) <= 30 && attempt.time >= login.time;
      const bool new_witness = std::ranges::none_of(found.accepted, [&](const LoginAttempt& a) { return a.witness == attempt.witness; });
      if (same_login && new_witness) found.accepted.push_back(attempt);
    }
    return found;
  }
  return std::nullopt;
}

}  // namespace

std::map<std::string, std::vector<LoginAttempt>> login_attempts(const Scene& scene) {
  std::map<std::string, std::vector<LoginAttempt>> by_address;
  std::size_t count = 0;
  for (const artefact::Event& event : scene.events.all()) {
    if (event.data_type.starts_with("aws:") || count >= kMostAttempts) continue;
    LoginAttempt attempt{event.time, std::string(event.field("user")), false, false, {}, &event, {}};
    const bool login = event.data_type.starts_with("linux:utmp") ? from_utmp(event, attempt) : from_message(event, attempt);
    if (!login) continue;
    std::string address = normal_address(event.field("ip"));
    if (address.empty()) address = normal_address(event.field("host"));
    if (address.empty()) continue;
    attempt.witness = witness_of(event);
    by_address[address].push_back(std::move(attempt));
    ++count;
  }
  return by_address;
}

std::vector<BruteForce> brute_forces(const Scene& scene) {
  std::vector<BruteForce> found;
  for (const auto& [address, attempts] : login_attempts(scene)) {
    auto one = brute_force_from(address, attempts);
    if (one) found.push_back(std::move(*one));
  }
  return found;
}

std::vector<std::string> attacker_addresses(const Scene& scene) {
  std::vector<std::string> addresses;
  for (const BruteForce& one : brute_forces(scene)) addresses.push_back(one.address);
  return addresses;
}

}  // namespace icecore::detect
