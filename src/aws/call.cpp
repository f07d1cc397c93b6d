#include "aws/call.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "aws/signer.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "core/random.h"

namespace icecore::aws {
namespace {

constexpr std::int64_t kBaseMs = 100;           ///< first wait is uniform in [0, this)
constexpr std::int64_t kThrottledBaseMs = 500;  ///< as botocore's, for EC2's slow buckets
constexpr std::int64_t kLongestMs = 20'000;
constexpr int kUnreachedAttempts = 4;  ///< an address that never answered is more likely wrong than busy
constexpr int kDamagedAttempts = 6;    ///< a block that stays damaged is damaged at its source
constexpr int kClockAttempts = 2;
constexpr std::int64_t kSkewSeconds = 30;   ///< below this the clock is not what the service dislikes
constexpr std::int64_t kSilenceMs = 5'000;  ///< a call that has taken this long says so

std::optional<std::int64_t> http_date(const HttpReply& reply) {
  const std::string value(header(reply.headers, "date"));
  if (value.empty()) return std::nullopt;
  const time_t seconds = curl_getdate(value.c_str(), nullptr);
  if (seconds < 0) return std::nullopt;
  return static_cast<std::int64_t>(seconds);
}

}  // namespace

Stopwatch steady_stopwatch() {
  return [] {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
  };
}

/// One call's attempts. The only retry loop in the program.
class CallExecutor::Run {
 public:
  Run(CallExecutor& owner, Call& call, const std::string& origin, const std::string& region)
      : owner_(owner),
        parts_(owner.parts_),
        call_(call),
        origin_(origin),
        region_(region),
        limit_(owner.limit_of(*call.operation, region)),
        started_ms_(parts_.stopwatch()) {}

  CallResult<CallReply> go() {
    while (true) {
      ++attempts_;
      if (auto error = wait_for_turn()) return failed(std::move(*error));
      auto credentials = call_.unsigned_request ? Result<Credentials>(Credentials{}) : parts_.credentials.get();
      if (!credentials) return failed(ServiceError(std::move(credentials).error()));
      signed_at_ = parts_.clock.now().seconds + owner_.clock_offset();
      HttpRequest request = prepared(*credentials);
      HttpResult result = parts_.transport.send(request, std::move(call_.buffer));
      call_.body = std::move(request.body);
      if (result) owner_.note_reached(origin_);
      Verdict verdict = judge(*call_.operation, call_.protocol, result);
      note(result, verdict);
      if (verdict.next == Next::kDone) {
        const auto damage = call_.damage ? call_.damage(*result) : std::nullopt;
        if (!damage) return CallReply{std::move(*result), request_id_, attempts_};
        verdict = damaged(*damage);
      }
      if (result) call_.buffer = std::move(result->body);
      if (!may_go_on(verdict, result, *credentials)) return failed(std::move(verdict.error));
      if (auto error = back_off(verdict)) return failed(std::move(*error));
    }
  }

  int attempts() const { return attempts_; }
  std::uint64_t bytes() const { return bytes_; }
  int http_status() const { return http_status_; }
  const std::string& request_id() const { return request_id_; }

 private:
  std::int64_t left_ms() const { return started_ms_ + call_.budget_ms - parts_.stopwatch(); }

  CallResult<CallReply> failed(ServiceError error) const {
    error.attempts = attempts_;
    error.service = call_.operation->service;
    error.action = call_.operation->name;
    if (error.request_id.empty()) error.request_id = request_id_;
    return CallFailure(std::move(error));
  }

  std::optional<ServiceError> wait_for_turn() {
    if (interrupted()) return ServiceError(interruption().value());
    const std::int64_t wait = limit_.reserve(parts_.stopwatch());
    if (wait >= left_ms()) return spent(last_error_);
    if (wait > 0) parts_.clock.sleep_for(wait);
    if (interrupted()) return ServiceError(interruption().value());
    return std::nullopt;
  }

  // The body is lent, not copied: a part of an object may be a hundred MiB.
  HttpRequest prepared(const Credentials& credentials) {
    HttpRequest request{.method = call_.method,
                        .origin = origin_,
                        .path = call_.path,
                        .query = call_.query,
                        .headers = call_.headers,
                        .body = std::move(call_.body),
                        .limits = call_.limits,
                        .send_once = !call_.operation->repeatable};
    request.limits.total_ms = std::min(request.limits.total_ms, std::max<std::int64_t>(left_ms(), 1));
    if (!call_.unsigned_request) {
      sign(request, credentials, {region_, std::string(call_.operation->service)}, Timestamp{signed_at_, 0});
    }
    return request;
  }

  void note(const HttpResult& result, const Verdict& verdict) {
    http_status_ = result ? result->status : 0;
    bytes_ += result ? result->body.size() : result.error().body_bytes;
    if (result) request_id_ = verdict.next == Next::kDone ? aws::request_id(*result) : verdict.error.request_id;
    if (verdict.next == Next::kThrottled) limit_.throttled(parts_.stopwatch());
  }

  Verdict damaged(const std::string& words) {
    Verdict verdict;
    verdict.next = ++damaged_ < kDamagedAttempts ? Next::kRetry : Next::kFail;
    verdict.outcome_unknown = call_.operation->mutating;
    verdict.error.code = call_.damage_code;
    verdict.error.http_status = http_status_;
    verdict.error.message = fmt::format("{} {}: {} (request id {})", call_.operation->service, call_.operation->name, words,
                                        request_id_.empty() ? "unknown" : request_id_);
    return verdict;
  }

  /// Whether the loop may send again; if not, verdict.error is final.
  bool may_go_on(Verdict& verdict, const HttpResult& result, const Credentials& used) {
    switch (verdict.next) {
      case Next::kDone: return false;
      case Next::kThrottled: return true;
      case Next::kRetry: return may_repeat(verdict);
      case Next::kFixClock: return fix_clock(*result);
      case Next::kRefreshCredentials: return refresh(used, verdict.error);
      case Next::kNotFound: return parts_.stopwatch() - started_ms_ < call_.not_found_grace_ms;
      case Next::kFail: mark_unknown(verdict); return false;
    }
    return false;
  }

  bool may_repeat(Verdict& verdict) {
    if (verdict.not_sent) return owner_.was_reached(origin_) || attempts_ < kUnreachedAttempts;
    if (call_.operation->repeatable || !verdict.outcome_unknown || call_.dry_run) return true;
    mark_unknown(verdict);
    return false;
  }

  void mark_unknown(Verdict& verdict) const {
    if (!verdict.outcome_unknown || !call_.operation->mutating || call_.dry_run) return;
    verdict.error.outcome_unknown = true;
    verdict.error.message += "; it may have been carried out all the same: look for what the run's tag marks before trying again";
  }

  bool fix_clock(const HttpReply& reply) {
    const auto theirs = http_date(reply);
    if (!theirs || ++clock_fixes_ > kClockAttempts || std::abs(*theirs - signed_at_) < kSkewSeconds) return false;
    owner_.clock_offset_ = *theirs - parts_.clock.now().seconds;
    log_warning(fmt::format("this machine's clock differs from AWS's by {} s; signing with theirs", owner_.clock_offset()));
    return true;
  }

  bool refresh(const Credentials& used, ServiceError& error) {
    if (!std::exchange(refreshed_, true)) {
      parts_.credentials.expire();
      const auto fresh = parts_.credentials.get();
      if (fresh && (fresh->session_token != used.session_token || fresh->access_key_id != used.access_key_id)) return true;
    }
    error.message =
        fmt::format("the credentials from {} have expired; get new ones and run the same command again ({})", used.source, error.aws_code);
    return false;
  }

  /// Full jitter: uniform in [0, base · 2ⁿ), at most kLongestMs.
  std::optional<ServiceError> back_off(const Verdict& verdict) {
    last_error_ = verdict.error;
    if (parts_.max_attempts > 0 && attempts_ >= parts_.max_attempts) return spent(verdict.error);
    if (verdict.next == Next::kFixClock || verdict.next == Next::kRefreshCredentials) return std::nullopt;
    const std::int64_t base = verdict.next == Next::kThrottled ? kThrottledBaseMs : kBaseMs;
    const std::int64_t ceiling = std::min(kLongestMs, base << std::min(attempts_ - 1, 12));
    const auto wait = static_cast<std::int64_t>(parts_.jitter() * static_cast<double>(ceiling));
    if (wait >= left_ms()) return spent(verdict.error);
    say(verdict.error, wait);
    if (wait > 0) parts_.clock.sleep_for(wait);
    return std::nullopt;
  }

  void say(const ServiceError& error, std::int64_t wait) const {
    const std::int64_t taken = parts_.stopwatch() - started_ms_;
    const std::string words = fmt::format("{}; attempt {} failed, the next is in {} ms", error.message, attempts_, wait);
    if (taken >= kSilenceMs) {
      log_warning(words);
    } else {
      log_debug(words);
    }
  }

  ServiceError spent(ServiceError last) const {
    const std::int64_t taken = parts_.stopwatch() - started_ms_;
    if (last.message.empty()) last.message = fmt::format("{} {}: waiting for the rate limit", call_.operation->service, call_.operation->name);
    const bool kept = last.code == Code::kIntegrity || last.code == Code::kCorrupt || last.code == Code::kNotFound;
    if (!kept) last.code = Code::kNetwork;
    last.message += fmt::format("; gave up after {} attempts in {:.1f} s", attempts_, static_cast<double>(taken) / 1000.0);
    return last;
  }

  CallExecutor& owner_;
  Parts& parts_;
  Call& call_;
  const std::string& origin_;
  const std::string& region_;
  RateLimit& limit_;
  std::int64_t started_ms_;
  std::int64_t signed_at_ = 0;
  int attempts_ = 0, damaged_ = 0, clock_fixes_ = 0;
  bool refreshed_ = false;
  std::uint64_t bytes_ = 0;
  int http_status_ = 0;
  std::string request_id_;
  ServiceError last_error_;
};

CallExecutor::CallExecutor(Parts parts) : parts_(std::move(parts)) {
  if (!parts_.jitter) parts_.jitter = &random_unit;
}

CallExecutor::~CallExecutor() = default;

CallResult<CallReply> CallExecutor::run(Call call, const std::string& origin, const std::string& region) {
  const bool each = parts_.observer.wants_each(*call.operation);
  CallRecord record{next_id_++, call.operation, region, origin, std::move(call.parameters), call.dry_run};
  if (each) {
    if (auto told = parts_.observer.on_intent(record); !told) return CallFailure(std::move(told).error());
  }
  const auto began = std::chrono::steady_clock::now();
  Run run(*this, call, origin, region);
  CallResult<CallReply> result = run.go();
  CallOutcome outcome;
  outcome.succeeded = result.has_value() || is_dry_run_success(result.error());
  outcome.attempts = run.attempts();
  outcome.http_status = run.http_status();
  outcome.request_id = run.request_id();
  outcome.bytes = run.bytes();
  outcome.duration_us = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began).count();
  if (!result) {
    outcome.outcome_unknown = result.error().outcome_unknown;
    outcome.error_code = result.error().aws_code;
    outcome.error_message = result.error().message;
  }
  auto told = tell(record, outcome, each);
  if (!told && result) {
    ServiceError error(std::move(told).error());
    error.outcome_unknown = record.mutating();
    return CallFailure(std::move(error));
  }
  return result;
}

Result<void> CallExecutor::tell(const CallRecord& record, const CallOutcome& outcome, bool each) {
  if (each) return parts_.observer.on_outcome(record, outcome);
  add_to_summary(record, outcome);
  return {};
}

void CallExecutor::add_to_summary(const CallRecord& record, const CallOutcome& outcome) {
  const std::scoped_lock lock(mutex_);
  CallSummary& summary = summaries_[{record.operation->name, record.region}];
  summary.operation = record.operation;
  summary.region = record.region;
  ++summary.calls;
  if (!outcome.succeeded) ++summary.failures;
  summary.retries += static_cast<std::uint64_t>(std::max(outcome.attempts - 1, 0));
  summary.bytes += outcome.bytes;
  if (summary.first_request_id.empty()) summary.first_request_id = outcome.request_id;
  if (!outcome.request_id.empty()) summary.last_request_id = outcome.request_id;
}

Result<void> CallExecutor::flush_summaries() {
  decltype(summaries_) taken;
  {
    const std::scoped_lock lock(mutex_);
    taken.swap(summaries_);
  }
  for (const auto& [key, summary] : taken) ICECORE_CHECK(parts_.observer.on_summary(summary));
  return {};
}

RateLimit& CallExecutor::limit_of(const Operation& operation, const std::string& region) {
  const std::scoped_lock lock(mutex_);
  std::unique_ptr<RateLimit>& limit = limits_[fmt::format("{}/{}", region, operation.bucket)];
  if (!limit) limit = std::make_unique<RateLimit>(operation.calls_per_second);
  return *limit;
}

bool CallExecutor::was_reached(const std::string& origin) {
  const std::scoped_lock lock(mutex_);
  return reached_.contains(origin);
}

void CallExecutor::note_reached(const std::string& origin) {
  const std::scoped_lock lock(mutex_);
  if (!reached_.contains(origin)) reached_.insert(origin);
}

}  // namespace icecore::aws
