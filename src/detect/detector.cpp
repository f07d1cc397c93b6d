#include "detect/detector.h"

#include <fmt/format.h>
#include <exception>

#include "core/interrupt.h"
#include "detect/findings_json.h"

namespace icecore::detect {
namespace {

Result<void> run_one(const Detector& detector, const Scene& scene, FindingSink& sink, Anomalies& anomalies) {
  try {
    return detector.run(scene, sink, anomalies);
  } catch (const std::exception& error) {
    return fail(Code::kInternal, fmt::format("the detector {} failed: {}", detector.name, error.what()));
  }
}

}  // namespace

void FindingSink::add(Finding finding) {
  const std::lock_guard lock(mutex_);
  if (announce_) announce_(finding);
  findings_.push_back(std::move(finding));
}

std::vector<Finding> FindingSink::take() {
  const std::lock_guard lock(mutex_);
  std::vector<Finding> findings = std::move(findings_);
  findings_.clear();
  sort_findings(findings);
  return findings;
}

Result<void> run_detectors(const Scene& scene, FindingSink& sink, Anomalies& anomalies, Progress& progress, Needs from, Needs to) {
  std::vector<const Detector*> chosen;
  for (const Detector& detector : all_detectors())
    if (detector.needs >= from && detector.needs <= to) chosen.push_back(&detector);
  progress.begin("looking for traces", chosen.size(), "detectors");
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (interrupted()) return interruption();
    auto done = run_one(*chosen[i], scene, sink, anomalies);
    // A bug in one detector (kInternal) must not hide what the others see.
    if (!done && done.error().code != Code::kInternal && machine::ends_the_run(done.error().code)) return done;
    if (!done) anomalies.add("detector.failed", wrap(std::move(done).error(), fmt::format("detector {}", chosen[i]->name)).value());
    progress.update(i + 1);
  }
  progress.end();
  return {};
}

}  // namespace icecore::detect
