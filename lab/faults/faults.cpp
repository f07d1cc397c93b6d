#include "faults/faults.h"

#include <algorithm>
#include <stdexcept>

namespace icelab {
namespace {

using nlohmann::json;

// splitmix64: good enough to spread (seed, action, call, kind) and the same on every machine.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ value >> 30U) * 0xbf58476d1ce4e5b9U;
  value = (value ^ value >> 27U) * 0x94d049bb133111ebU;
  return value ^ value >> 31U;
}

std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

class Dice {
 public:
  Dice(std::uint64_t seed, const std::string& action, std::uint64_t call) : state_(mix(seed) ^ mix(hash_of(action) + call)) {}
  bool roll(double percent) {
    state_ = mix(state_);
    return static_cast<double>(state_ >> 11U) / 9007199254740992.0 * 100.0 < percent;
  }

 private:
  std::uint64_t state_;
};

ScriptedFault scripted_from(const json& value) {
  static const std::vector<std::string> kKnown = {"action", "nth", "times", "code", "message", "status", "after", "lose_reply"};
  for (const auto& [key, unused] : value.items()) {
    if (std::find(kKnown.begin(), kKnown.end(), key) == kKnown.end()) throw std::invalid_argument("unknown member of a scripted fault: " + key);
  }
  ScriptedFault fault;
  fault.action = value.at("action");
  fault.nth = value.value("nth", std::uint64_t{1});
  fault.times = value.value("times", std::uint64_t{1});
  fault.code = value.value("code", "");
  fault.message = value.value("message", "a fault that was asked for");
  fault.status = value.value("status", 400);
  fault.after = value.value("after", false);
  fault.lose_reply = value.value("lose_reply", false);
  if (fault.code.empty() && !fault.lose_reply) throw std::invalid_argument("a scripted fault needs code or lose_reply");
  if (fault.status < 400 || fault.status > 599) throw std::invalid_argument("status must be 400 to 599");
  return fault;
}

json scripted_to(const ScriptedFault& fault) {
  return {{"action", fault.action},   {"nth", fault.nth},       {"times", fault.times}, {"code", fault.code},
          {"message", fault.message}, {"status", fault.status}, {"after", fault.after}, {"lose_reply", fault.lose_reply}};
}

void apply(const ScriptedFault& fault, Verdict& verdict) {
  if (fault.lose_reply) verdict.delivery.reset = true;
  if (fault.code.empty()) return;
  const ApiError error(fault.code, fault.message, fault.status);
  (fault.after ? verdict.after : verdict.instead) = error;
}

}  // namespace

FaultSettings fault_settings_from_json(const json& value) {
  static const json kKnown = to_json(FaultSettings());
  for (const auto& [key, unused] : value.items()) {
    if (!kKnown.contains(key)) throw std::invalid_argument("unknown fault: " + key);
  }
  FaultSettings s;
  s.latency_ms = value.value("latency_ms", s.latency_ms);
  s.throttle = value.value("throttle", s.throttle);
  s.error_5xx = value.value("error_5xx", s.error_5xx);
  s.reset = value.value("reset", s.reset);
  s.truncate = value.value("truncate", s.truncate);
  s.corrupt = value.value("corrupt", s.corrupt);
  s.stall = value.value("stall", s.stall);
  s.stall_ms = value.value("stall_ms", s.stall_ms);
  s.skew_ms = value.value("skew_ms", s.skew_ms);
  s.seed = value.value("seed", s.seed);
  s.only = value.value("only", s.only);
  for (const json& line : value.value("script", json::array())) s.script.push_back(scripted_from(line));
  return s;
}

json to_json(const FaultSettings& s) {
  json script = json::array();
  for (const ScriptedFault& fault : s.script) script.push_back(scripted_to(fault));
  return {{"latency_ms", s.latency_ms}, {"throttle", s.throttle}, {"error_5xx", s.error_5xx}, {"reset", s.reset},
          {"truncate", s.truncate},     {"corrupt", s.corrupt},   {"stall", s.stall},         {"stall_ms", s.stall_ms},
          {"skew_ms", s.skew_ms},       {"seed", s.seed},         {"only", s.only},           {"script", script}};
}

void Faults::set(FaultSettings settings) {
  const std::lock_guard lock(mutex_);
  clock_.set_skew(settings.skew_ms);
  settings_ = std::move(settings);
  calls_.clear();
}

FaultSettings Faults::get() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

Verdict Faults::judge(const std::string& action) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t call = ++calls_[action];
  Verdict verdict;
  for (const ScriptedFault& fault : settings_.script) {
    const bool ours = fault.action == action && call >= fault.nth && call - fault.nth < fault.times;
    if (ours) apply(fault, verdict);
  }
  const auto& only = settings_.only;
  if (!only.empty() && std::find(only.begin(), only.end(), action) == only.end()) return verdict;
  Dice dice(settings_.seed, action, call);
  verdict.latency_ms = settings_.latency_ms;
  verdict.throttle = dice.roll(settings_.throttle);
  verdict.error_5xx = dice.roll(settings_.error_5xx);
  verdict.corrupt = dice.roll(settings_.corrupt);
  verdict.delivery.reset = verdict.delivery.reset || dice.roll(settings_.reset);
  verdict.delivery.truncate = dice.roll(settings_.truncate);
  verdict.delivery.stall_ms = dice.roll(settings_.stall) ? settings_.stall_ms : 0;
  return verdict;
}

}  // namespace icelab
