// Faults on request: what goes wrong with which call, the same every time for one seed.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "http/message.h"
#include "util/api_error.h"
#include "util/clock.h"

namespace icelab {

// One line of the script: from the `nth` call of `action` on, `times` calls end like this.
struct ScriptedFault {
  std::string action;
  std::uint64_t nth = 1;
  std::uint64_t times = 1;
  std::string code;  // empty: no error of the service
  std::string message;
  int status = 400;
  bool after = false;       // the act is done, and then the error is answered
  bool lose_reply = false;  // the act is done, and then the connection is reset
};

struct FaultSettings {
  int latency_ms = 0;
  double throttle = 0, error_5xx = 0, reset = 0, truncate = 0, corrupt = 0, stall = 0;  // percent of the calls
  int stall_ms = 60'000;
  Millis skew_ms = 0;
  std::uint64_t seed = 1;
  std::vector<std::string> only;  // actions; empty: all
  std::vector<ScriptedFault> script;
};

FaultSettings fault_settings_from_json(const nlohmann::json& value);  // throws std::exception with what is wrong
nlohmann::json to_json(const FaultSettings& settings);

// What happens to one call.
struct Verdict {
  int latency_ms = 0;
  bool throttle = false;
  bool error_5xx = false;
  bool corrupt = false;
  std::optional<ApiError> instead;  // in place of the act
  std::optional<ApiError> after;    // once the act is done
  Delivery delivery;
};

class Faults {
 public:
  explicit Faults(Clock& clock) : clock_(clock) {}

  void set(FaultSettings settings);
  FaultSettings get() const;

  // Counts the call; the n-th call of an action meets the same fate whatever other threads do.
  Verdict judge(const std::string& action);

 private:
  Clock& clock_;
  mutable std::mutex mutex_;
  FaultSettings settings_;
  std::map<std::string, std::uint64_t> calls_;
};

}  // namespace icelab
