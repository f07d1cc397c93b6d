// Carries out one call: sign, send, judge, wait, again. There is one loop and one time budget per call; nothing above or below it retries.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aws/credentials.h"
#include "aws/error.h"
#include "aws/http.h"
#include "aws/observer.h"
#include "aws/operations.h"
#include "aws/rate_limit.h"
#include "aws/verdict.h"
#include "core/timestamp.h"

namespace icecore::aws {

struct Call {
  const Operation* operation = nullptr;
  Protocol protocol = Protocol::kRestJson;
  std::string method = "GET";
  std::string path = "/";
  std::vector<NameValue> query = {};
  Headers headers = {};
  std::string body = {};
  std::vector<NameValue> parameters = {};  ///< for the observer: no secrets
  bool dry_run = false;
  bool unsigned_request = false;     ///< AssumeRoleWithWebIdentity has no signature
  std::int64_t budget_ms = 120'000;  ///< all attempts and waits together
  HttpLimits limits = {};
  /// Looks at a 2xx reply; words mean the body is damaged (a wrong checksum) and the call is tried again within the same budget.
  std::function<std::optional<std::string>(const HttpReply&)> damage = nullptr;
  Code damage_code = Code::kCorrupt;  ///< of the error where it stays damaged
  /// A 404 right after creation is tried again until this long after the first attempt ("listing can still say it does not exist for a moment").
  std::int64_t not_found_grace_ms = 0;
  Bytes buffer = {};  ///< memory lent to the reply's body
};

struct CallReply {
  HttpReply http;
  std::string request_id = {};
  int attempts = 0;
};

/// Milliseconds that only go forward, for budgets; a value so that tests need not wait.
using Stopwatch = std::function<std::int64_t()>;
Stopwatch steady_stopwatch();

/// What all services of a run share: clock correction, limits, observer. Thread-safe; made once per run, outlives the clients.
class CallExecutor {
 public:
  struct Parts {
    HttpTransport& transport;
    CredentialSource& credentials;
    const Clock& clock;
    CallObserver& observer;
    Stopwatch stopwatch = steady_stopwatch();
    std::function<double()> jitter = nullptr;  ///< uniform in [0, 1); absent: random_unit
    int max_attempts = 0;                      ///< AWS_MAX_ATTEMPTS; 0: only the budget counts
  };
  explicit CallExecutor(Parts parts);
  ~CallExecutor();

  /// `origin` and `region` say where. Blocks. Errors: kPermission names the IAM action; kCredentials, kNotFound, kNetwork (budget spent, or
  /// outcome_unknown), kRemote, kInterrupted.
  CallResult<CallReply> run(Call call, const std::string& origin, const std::string& region);

  /// Hands the counts of calls without their own record to the observer and starts anew.
  Result<void> flush_summaries();

  /// Seconds that AWS's clock is ahead of ours, as learnt from refused signatures.
  std::int64_t clock_offset() const { return clock_offset_.load(); }

 private:
  class Run;
  RateLimit& limit_of(const Operation& operation, const std::string& region);
  bool was_reached(const std::string& origin);
  void note_reached(const std::string& origin);
  Result<void> tell(const CallRecord& record, const CallOutcome& outcome, bool each);
  void add_to_summary(const CallRecord& record, const CallOutcome& outcome);

  Parts parts_;
  std::atomic<std::int64_t> clock_offset_{0};
  std::atomic<std::uint64_t> next_id_{1};
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<RateLimit>, std::less<>> limits_;
  std::map<std::pair<std::string_view, std::string>, CallSummary> summaries_;
  std::set<std::string> reached_;  ///< origins that have answered once
};

}  // namespace icecore::aws
