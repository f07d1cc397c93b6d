// Who wants to know of every call: the engine connects this to the ledger (an intent line before, an outcome line after). No secret passes here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aws/http.h"
#include "aws/operations.h"
#include "core/result.h"

namespace icecore::aws {

/// What is about to be asked. One record a logical call, however many attempts it takes; each page of a listing is a call of its own.
struct CallRecord {
  std::uint64_t id = 0;  ///< unique in the process; joins intent and outcome
  const Operation* operation = nullptr;
  std::string region = {};
  std::string endpoint = {};  ///< origin
  std::vector<NameValue> parameters =
      {};                ///< as sent, without tokens of secrets (block tokens, page tokens, MFA codes, user-data are left out or cut)
  bool dry_run = false;  ///< sent with DryRun=true
  bool mutating() const { return operation->mutating && !dry_run; }
};

/// How it ended.
struct CallOutcome {
  bool succeeded = false;
  bool outcome_unknown = false;
  int attempts = 0;
  int http_status = 0;
  std::string request_id = {};
  std::string error_code = {};     ///< AWS's code, else empty
  std::string error_message = {};  ///< in our words
  std::uint64_t bytes = 0;         ///< of the reply's body
  std::int64_t duration_us = 0;
};

/// Many like calls together (GetSnapshotBlock), since the last summary.
struct CallSummary {
  const Operation* operation = nullptr;
  std::string region = {};
  std::uint64_t calls = 0, failures = 0, retries = 0, bytes = 0;
  std::string first_request_id = {}, last_request_id = {};
};

/// All methods may be called from many threads at once.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  /// Whether intent and outcome of each call of this operation are wanted; if not, on_summary comes from CallExecutor::flush_summaries().
  virtual bool wants_each(const Operation& operation) const { return !operation.high_volume; }
  /// Before the first attempt. An error stops the call: what cannot be recorded is not done.
  virtual Result<void> on_intent(const CallRecord& record) = 0;
  /// After the last attempt. An error is returned to the caller in place of a success (outcome_unknown is then set for mutating calls).
  virtual Result<void> on_outcome(const CallRecord& record, const CallOutcome& outcome) = 0;
  virtual Result<void> on_summary(const CallSummary& summary) = 0;
};

/// Records nothing.
CallObserver& no_observer();

}  // namespace icecore::aws
