// An executor over an in-memory transport and a clock that only moves when it is slept on.
#pragma once

#include <deque>
#include <memory>

#include "aws/call.h"
#include "aws/memory_transport.h"
#include "fake_clock.h"
#include "support/support.h"

namespace icecore::aws::test_support {

/// Keeps what it is told.
class RecordingObserver : public CallObserver {
 public:
  Result<void> on_intent(const CallRecord& record) override {
    lines.push_back("intent " + std::string(record.operation->name));
    records.push_back(record);
    if (refuse_intent) return fail(Code::kIo, "the ledger cannot be written");
    return {};
  }
  Result<void> on_outcome(const CallRecord& record, const CallOutcome& outcome) override {
    lines.push_back("outcome " + std::string(record.operation->name));
    outcomes.push_back(outcome);
    if (refuse_outcome) return fail(Code::kIo, "the ledger cannot be written");
    return {};
  }
  Result<void> on_summary(const CallSummary& summary) override {
    summaries.push_back(summary);
    return {};
  }

  bool refuse_intent = false, refuse_outcome = false;
  std::vector<std::string> lines;
  std::vector<CallRecord> records;
  std::vector<CallOutcome> outcomes;
  std::vector<CallSummary> summaries;
};

inline HttpResult transport_failure(TransportError::Kind kind) {
  TransportError error;
  error.kind = kind;
  error.code = Code::kNetwork;
  error.message = "the wire is broken";
  return tl::unexpected<TransportError>(error);
}

/// Answers from a queue; the last answer stays. Each request advances the clock by `latency_ms`.
class ExecutorFixture : public ::testing::Test {
 protected:
  ExecutorFixture()
      : transport_([this](const HttpRequest& request) { return answer(request); }),
        credentials_(fixed_credentials({.access_key_id = "AKIATEST", .secret_access_key = "secret", .source = "the test"})),
        executor_({.transport = transport_,
                   .credentials = *credentials_,
                   .clock = clock_,
                   .observer = observer_,
                   .stopwatch = [this] { return clock_.milliseconds(); },
                   .jitter = [this] { return jitter_; }}) {}

  HttpResult answer(const HttpRequest& /*request*/) {
    clock_.sleep_for(latency_ms_);
    if (answers_.empty()) return text_reply(200, "{}");
    HttpResult next = answers_.front();
    if (answers_.size() > 1) answers_.pop_front();
    return next;
  }

  CallResult<CallReply> run(std::string_view service, std::string_view action, Protocol protocol = Protocol::kRestJson) {
    Call call{.operation = &operation(service, action), .protocol = protocol};
    return executor_.run(std::move(call), "https://example.test", "us-west-2");
  }

  std::size_t sent() const { return transport_.requests().size(); }

  FakeClock clock_;
  std::int64_t latency_ms_ = 1;
  double jitter_ = 0.5;
  std::deque<HttpResult> answers_;
  MemoryTransport transport_;
  std::unique_ptr<CredentialSource> credentials_;
  RecordingObserver observer_;
  CallExecutor executor_;
};

}  // namespace icecore::aws::test_support
