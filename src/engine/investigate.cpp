#include "engine/investigate.h"

#include "engine/collect_trail.h"
#include "engine/keys_on_disk.h"
#include "engine/timeline_job.h"

namespace icecore::engine {
namespace {

// The timeline goes into the case through the ledger like any other file.
class EvidenceSink final : public timeline::TextSink {
 public:
  explicit EvidenceSink(evidence::EvidenceWriter& writer) : writer_(writer) {}
  Result<void> write(std::string_view text) override { return writer_.write(text); }

 private:
  evidence::EvidenceWriter& writer_;
};

Result<void> store_timeline(Workspace& workspace, const Investigation& done) {
  if (!done.target.machine) return {};
  ICECORE_ASSIGN(const auto writer, workspace.folder().begin_evidence("analysis/timeline.jsonl", "timeline", evidence::Existing::kReplace));
  EvidenceSink sink(*writer);
  ICECORE_CHECK(write_timeline(*done.target.machine, done.triage.scene, TimelineFormat::kJsonl, sink));
  return writer->commit().map([](const auto&) {});
}

Result<void> follow_keys_on_disk(Workspace& workspace, const Target& target) {
  if (!target.machine || !target.instance) return {};
  ICECORE_ASSIGN(const auto keys, keys_on_disk(*target.machine));
  return collect_trail_of_keys(workspace, target.instance->region, keys);
}

}  // namespace

Result<Investigation> investigate(Workspace& workspace, const InvestigateOptions& options) {
  ICECORE_CHECK(collect(workspace, options.collect));
  workspace.say("reading the snapshots: only the blocks that the questions need");
  Investigation done;
  ICECORE_ASSIGN(done.target, open_target(workspace, workspace.folder().path().string(), options.view));
  ICECORE_CHECK(follow_keys_on_disk(workspace, done.target));
  ICECORE_ASSIGN(done.triage, triage(workspace, done.target, options.triage));
  ICECORE_CHECK(store_timeline(workspace, done));
  ICECORE_CHECK(store_triage(workspace, done.target, done.triage));
  return done;
}

}  // namespace icecore::engine
