#include "engine/triage.h"

#include <fmt/format.h>

#include "detect/detector.h"
#include "detect/findings_json.h"
#include "engine/block_evidence.h"
#include "engine/deleted.h"
#include "engine/scene_builder.h"
#include "report/findings_report.h"

namespace icecore::engine {
namespace {

using detect::Needs;

// Each stage reads more of the disk than the one before, and the detectors that need no more than that run at once: a first finding is not kept
// waiting for the whole sweep.
Result<void> run_stages(Workspace& workspace, const Target& target, detect::FindingSink& sink, detect::Scene& scene) {
  Anomalies& anomalies = workspace.anomalies();
  Progress& progress = workspace.progress();
  std::vector<artefact::Event> events;
  ICECORE_CHECK(add_control_plane(workspace, target, events, scene.instance));
  scene.events = detect::EventStore(events);
  ICECORE_CHECK(detect::run_detectors(scene, sink, anomalies, progress, Needs::kControlPlane, Needs::kControlPlane));
  // Without a disk the cloud's and the user-data's detectors still have their say; those that want a machine see that there is none.
  if (!target.machine) return detect::run_detectors(scene, sink, anomalies, progress, Needs::kFiles, Needs::kDeleted);

  scene.machine = target.machine;
  ICECORE_ASSIGN(scene.facts, machine::read_facts(*target.machine));
  ICECORE_ASSIGN(scene.dpkg, artefact::DpkgDatabase::load(*target.machine));
  ICECORE_CHECK(detect::run_detectors(scene, sink, anomalies, progress, Needs::kFiles, Needs::kFiles));

  artefact::FunctionSink event_sink([&](artefact::Event event) -> Result<void> {
    events.push_back(std::move(event));
    return {};
  });
  ICECORE_CHECK(artefact::collect_all({*target.machine, scene.facts, anomalies}, event_sink, progress));
  scene.events = detect::EventStore(std::move(events));
  ICECORE_CHECK(detect::run_detectors(scene, sink, anomalies, progress, Needs::kEvents, Needs::kEvents));

  ICECORE_ASSIGN(scene.sweeps, sweep_machine(workspace, *target.machine));
  ICECORE_CHECK(detect::run_detectors(scene, sink, anomalies, progress, Needs::kSweep, Needs::kSweep));

  ICECORE_CHECK(find_deleted(workspace, *target.machine, scene.sweeps));
  ICECORE_ASSIGN(scene.recovered, recover_telling(*target.machine, scene.sweeps));
  return detect::run_detectors(scene, sink, anomalies, progress, Needs::kDeleted, Needs::kDeleted);
}

}  // namespace

Result<Triage> triage(Workspace& workspace, const Target& target, const TriageOptions& options) {
  detect::FindingSink sink(options.announce);
  Triage result;
  ICECORE_CHECK(run_stages(workspace, target, sink, result.scene));
  result.findings = sink.take();
  ICECORE_CHECK(name_blocks(target, result.findings));
  result.complete = workspace.anomalies().count() == 0;
  return result;
}

std::string findings_document(Workspace& workspace, const Target& target, const Triage& result) {
  const detect::FindingsHeader header{workspace.has_case() ? workspace.folder().identity().id : "",
                                      target.name,
                                      workspace.clock().now(),
                                      result.complete,
                                      workspace.anomalies().count(),
                                      target.empty_volumes,
                                      target.machine ? target.machine->missing_mounts() : std::vector<std::string>()};
  return detect::findings_json(header, result.findings);
}

Result<void> store_triage(Workspace& workspace, const Target& target, const Triage& result) {
  if (!workspace.has_case()) return {};
  evidence::CaseFolder& folder = workspace.folder();
  const auto store = [&](const char* name, const std::string& text, const char* source) {
    return folder.write_evidence(name, text, source, evidence::Existing::kReplace);
  };
  ICECORE_CHECK(store("analysis/findings.json", findings_document(workspace, target, result), "triage"));
  const auto anomalies = workspace.anomalies().list();
  ICECORE_CHECK(store("analysis/anomalies.jsonl", detect::anomalies_jsonl(anomalies), "triage"));
  const report::FindingsReport report{target.name, report_facts(target), result.findings, anomalies, workspace.anomalies().count()};
  return store("report/findings.txt", report::render(report, {}), "triage").map([](const auto&) {});
}

}  // namespace icecore::engine
