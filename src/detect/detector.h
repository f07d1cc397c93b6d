// A detector turns facts into findings of the rules it names. Adding one is a file in detectors/ and a line in registry.cpp.
#pragma once

#include <functional>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "core/anomaly.h"
#include "core/progress.h"
#include "detect/finding.h"
#include "detect/scene.h"

namespace icecore::detect {

/// Takes findings as they are made. Thread-safe. `announce`, where given, is called for each at once (time to first finding).
class FindingSink {
 public:
  explicit FindingSink(std::function<void(const Finding&)> announce = {}) : announce_(std::move(announce)) {}
  void add(Finding finding);
  /// All so far, in stable order (findings_json.h: sort_findings); the sink is empty afterwards.
  std::vector<Finding> take();

 private:
  std::mutex mutex_;
  std::function<void(const Finding&)> announce_;
  std::vector<Finding> findings_;
};

/// The least that a detector has to see; the engine runs the early ones while it still reads the rest.
enum class Needs {
  kControlPlane,  ///< CloudTrail events and metadata only
  kFiles,         ///< the machine: a few files by name, and dpkg
  kEvents,        ///< the logs' events too
  kSweep,         ///< all names and inodes too
  kDeleted,       ///< deleted files too, out of the journal
};

struct Detector {
  std::string_view name;  ///< stable: "ssh-bruteforce"
  Needs needs = Needs::kFiles;
  std::vector<std::string_view> rules;  ///< what it can raise
  /// Gives only errors that end the run (machine::ends_the_run); damage is an anomaly.
  Result<void> (*run)(const Scene& scene, FindingSink& sink, Anomalies& anomalies);
};

/// In the order in which they are run: cheapest first.
const std::vector<Detector>& all_detectors();

/// Runs those whose needs are in [from, to]. A detector that fails or throws becomes an anomaly ("detector.failed") and the others go on; only errors
/// that end the run come back.
Result<void> run_detectors(const Scene& scene, FindingSink& sink, Anomalies& anomalies, Progress& progress, Needs from = Needs::kControlPlane,
                           Needs to = Needs::kDeleted);

}  // namespace icecore::detect
