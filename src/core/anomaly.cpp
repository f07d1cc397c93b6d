#include "core/anomaly.h"

#include <algorithm>

namespace icecore {

void Anomalies::add(std::string kind, Error error) {
  const std::scoped_lock lock(mutex_);
  ++count_;
  const auto same_kind = std::ranges::count(kept_, kind, &Anomaly::kind);
  if (static_cast<std::size_t>(same_kind) < kKept) kept_.push_back({std::move(kind), std::move(error)});
}

std::vector<Anomaly> Anomalies::list() const {
  const std::scoped_lock lock(mutex_);
  return kept_;
}

std::size_t Anomalies::count() const {
  const std::scoped_lock lock(mutex_);
  return count_;
}

}  // namespace icecore
