// What could not be parsed: recorded with its place, and the run goes on. Integrity failures never become anomalies.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "core/result.h"

namespace icecore {

struct Anomaly {
  std::string kind;  ///< short stable word: "ext4.inode-checksum", "journal.entry", "filesystem.unsupported"
  Error error;
};

/// Collects anomalies from many threads. Bounded: past kKept of one kind only the count goes on.
class Anomalies {
 public:
  static constexpr std::size_t kKept = 1000;
  void add(std::string kind, Error error);
  /// A copy of what was kept, in order of arrival.
  std::vector<Anomaly> list() const;
  /// All that were added, kept or not.
  std::size_t count() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Anomaly> kept_;
  std::size_t count_ = 0;
};

}  // namespace icecore
