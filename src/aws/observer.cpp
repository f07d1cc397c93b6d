#include "aws/observer.h"

namespace icecore::aws {
namespace {

class NoObserver : public CallObserver {
 public:
  bool wants_each(const Operation& /*operation*/) const override { return false; }
  Result<void> on_intent(const CallRecord& /*record*/) override { return {}; }
  Result<void> on_outcome(const CallRecord& /*record*/, const CallOutcome& /*outcome*/) override { return {}; }
  Result<void> on_summary(const CallSummary& /*summary*/) override { return {}; }
};

}  // namespace

CallObserver& no_observer() {
  static NoObserver observer;
  return observer;
}

}  // namespace icecore::aws
