#include "workstation/waiting.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/interrupt.h"

namespace icecore::workstation {
namespace {

constexpr std::int64_t kLongestPauseMs = 5'000;

}  // namespace

Result<void> Waiting::pause(const std::string& what, const std::string& next) {
  if (waited_ms_ >= patience_.milliseconds) {
    workspace_.progress().end();
    return fail(Code::kNetwork, fmt::format("{} after {} s; {}", what, waited_ms_ / 1000, next));
  }
  const std::int64_t pause = std::min(pause_ms_, patience_.milliseconds - waited_ms_ + 1);
  workspace_.clock().sleep_for(pause);
  waited_ms_ += pause;
  pause_ms_ = std::min(pause_ms_ * 3 / 2, kLongestPauseMs);
  workspace_.progress().update(static_cast<std::uint64_t>(waited_ms_ / 1000));
  if (interrupted()) return interruption();
  return {};
}

}  // namespace icecore::workstation
