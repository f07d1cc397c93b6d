#include "engine/ledger_observer.h"

namespace icecore::engine {
namespace {

Json parameters_of(const aws::CallRecord& record) {
  Json parameters = Json::object();
  for (const auto& [name, value] : record.parameters) parameters[name] = value;
  return parameters;
}

// Reads need not be on the disk before the next one starts; what changes the account must be.
evidence::Sync sync_of(const aws::CallRecord& record) { return record.mutating() ? evidence::Sync::kNow : evidence::Sync::kLater; }

}  // namespace

Result<void> LedgerObserver::on_intent(const aws::CallRecord& record) {
  if (ledger_ == nullptr) return {};
  Json body = {{"act", "aws-call"},           {"service", record.operation->service}, {"action", record.operation->name}, {"region", record.region},
               {"endpoint", record.endpoint}, {"parameters", parameters_of(record)},  {"mutating", record.mutating()}};
  if (record.dry_run) body["dry_run"] = true;
  ICECORE_ASSIGN(const std::uint64_t act, ledger_->intend(std::move(body), sync_of(record)));
  const std::scoped_lock lock(mutex_);
  acts_[record.id] = act;
  return {};
}

Result<void> LedgerObserver::on_outcome(const aws::CallRecord& record, const aws::CallOutcome& outcome) {
  if (ledger_ == nullptr) return {};
  std::uint64_t act = 0;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = acts_.find(record.id);
    if (found == acts_.end()) return {};  // begun before the ledger was attached
    act = found->second;
    acts_.erase(found);
  }
  Json body = {{"ok", outcome.succeeded},      {"request_id", outcome.request_id}, {"http_status", outcome.http_status},
               {"attempts", outcome.attempts}, {"bytes", outcome.bytes},           {"duration_us", outcome.duration_us}};
  if (!outcome.succeeded) {
    body["error"] = outcome.error_message;
    body["error_code"] = outcome.error_code;
    body["outcome_unknown"] = outcome.outcome_unknown;
  }
  return ledger_->conclude(act, std::move(body), sync_of(record));
}

Result<void> LedgerObserver::on_summary(const aws::CallSummary& summary) {
  if (ledger_ == nullptr || summary.calls == 0) return {};
  return ledger_->note({{"note", "aws-calls"},
                        {"service", summary.operation->service},
                        {"action", summary.operation->name},
                        {"region", summary.region},
                        {"calls", summary.calls},
                        {"failures", summary.failures},
                        {"retries", summary.retries},
                        {"bytes", summary.bytes},
                        {"first_request_id", summary.first_request_id},
                        {"last_request_id", summary.last_request_id}});
}

}  // namespace icecore::engine
