#include "engine/timeline_job.h"

#include "artefact/collector.h"
#include "engine/deleted.h"
#include "engine/scene_builder.h"
#include "timeline/bodyfile.h"
#include "timeline/records.h"

namespace icecore::engine {
namespace {

std::vector<timeline::Layer> layers_of(const machine::Machine& machine, const std::vector<detect::Sweep>& sweeps) {
  std::vector<timeline::Layer> layers;
  for (std::size_t i = 0; i < sweeps.size(); ++i) {
    if (!sweeps[i].table) continue;
    const machine::Mount& mount = machine.mounts()[i];
    const machine::Partition& partition = machine.partitions()[mount.partition];
    layers.push_back({sweeps[i].table.get(), sweeps[i].paths.get(), sweeps[i].deleted.get(), mount.path == "/" ? "" : mount.path, partition.snapshot,
                      partition.volume, partition.filesystem->info().type, partition.number});
  }
  return layers;
}

Result<std::vector<artefact::Event>> all_events(Workspace& workspace, const Target& target) {
  std::vector<artefact::Event> events;
  detect::InstanceMetadata unused;
  ICECORE_CHECK(add_control_plane(workspace, target, events, unused));
  ICECORE_ASSIGN(const machine::Facts facts, machine::read_facts(*target.machine));
  artefact::FunctionSink sink([&](artefact::Event event) -> Result<void> {
    events.push_back(std::move(event));
    return {};
  });
  ICECORE_CHECK(artefact::collect_all({*target.machine, facts, workspace.anomalies()}, sink, workspace.progress()));
  return events;
}

Result<void> write_layers(const std::vector<timeline::Layer>& layers, const std::vector<artefact::Event>& events, TimelineFormat format,
                          timeline::TextSink& sink) {
  switch (format) {
    case TimelineFormat::kBodyfile: return timeline::write_bodyfile(layers, sink);
    case TimelineFormat::kCsv: return timeline::write_csv(layers, events, sink);
    case TimelineFormat::kJsonl: break;
  }
  return timeline::write_jsonl(layers, events, sink);
}

}  // namespace

Result<void> write_timeline(const machine::Machine& machine, const detect::Scene& scene, TimelineFormat format, timeline::TextSink& sink) {
  return write_layers(layers_of(machine, scene.sweeps), scene.events.all(), format, sink);
}

Result<void> write_timeline(Workspace& workspace, const Target& target, const TimelineOptions& options, timeline::TextSink& sink) {
  if (!target.machine) return fail(Code::kNotFound, target.name + " holds no filesystem that can be read; the anomalies say why");
  ICECORE_ASSIGN(auto sweeps, sweep_machine(workspace, *target.machine));
  if (options.deleted) ICECORE_CHECK(find_deleted(workspace, *target.machine, sweeps));
  std::vector<artefact::Event> events;
  if (options.events && options.format != TimelineFormat::kBodyfile) {
    ICECORE_ASSIGN(events, all_events(workspace, target));
  }
  return write_layers(layers_of(*target.machine, sweeps), events, options.format, sink);
}

}  // namespace icecore::engine
