// Every AWS call becomes an intent line before it and an outcome line after it in the case's ledger.
#pragma once

#include <map>
#include <mutex>

#include "aws/observer.h"
#include "evidence/ledger.h"

namespace icecore::engine {

/// Before attach() calls pass unrecorded (a dry run has no case). Thread-safe.
class LedgerObserver final : public aws::CallObserver {
 public:
  void attach(evidence::Ledger* ledger) { ledger_ = ledger; }

  Result<void> on_intent(const aws::CallRecord& record) override;
  Result<void> on_outcome(const aws::CallRecord& record, const aws::CallOutcome& outcome) override;
  Result<void> on_summary(const aws::CallSummary& summary) override;

 private:
  evidence::Ledger* ledger_ = nullptr;
  std::mutex mutex_;
  std::map<std::uint64_t, std::uint64_t> acts_;  // CallRecord::id → the intent's line
};

}  // namespace icecore::engine
