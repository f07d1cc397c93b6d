// What went wrong while others read from the mount: they only learn EIO, the run remembers the rest.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "core/anomaly.h"
#include "core/result.h"

namespace icecore::mount {

/// Thread-safe.
class Faults {
 public:
  /// `say` gets a line for the first few faults; may be null.
  Faults(Anomalies& anomalies, std::function<void(std::string_view)> say) : anomalies_(anomalies), say_(std::move(say)) {}

  /// Remembers the error and gives the errno for whoever asked. Damaged evidence becomes an anomaly "mount.unreadable", once for each place; an
  /// integrity failure, and the first error that is neither (network, credentials, disk), are kept for the end.
  int note(const Error& error, const std::string& place);

  std::uint64_t count() const;
  std::optional<Error> integrity() const;
  std::optional<Error> failure() const;

 private:
  static constexpr std::size_t kMostSaid = 20;
  static constexpr std::size_t kMostPlaces = 10'000;
  Anomalies& anomalies_;
  const std::function<void(std::string_view)> say_;
  mutable std::mutex mutex_;
  std::set<std::string> places_;
  std::uint64_t count_ = 0;
  std::size_t said_ = 0;
  std::optional<Error> integrity_, failure_;
};

}  // namespace icecore::mount
