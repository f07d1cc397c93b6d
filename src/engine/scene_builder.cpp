#include "engine/scene_builder.h"

#include <set>

#include "artefact/cloudtrail.h"
#include "engine/collect_trail.h"

namespace icecore::engine {
namespace {

Result<std::optional<detect::InstanceText>> text_of(evidence::CaseFolder& folder, const std::string& file) {
  if (!is_collected(folder, file)) return std::optional<detect::InstanceText>();
  ICECORE_ASSIGN(std::string text, folder.read(file));
  return std::optional(detect::InstanceText{std::move(text), file});
}

// What DescribeKeyPairs said of the key that the instance was launched with.
Result<void> add_launch_key(evidence::CaseFolder& folder, const std::string& file, detect::InstanceMetadata& metadata) {
  ICECORE_ASSIGN(const auto reply, text_of(folder, file));
  if (!reply) return {};
  ICECORE_ASSIGN(const aws::XmlReply xml, aws::parse_xml(reply->text, "DescribeKeyPairs"));
  for (const pugi::xml_node item : xml.root.child("keySet").children("item")) {
    if (const std::string key = aws::child_text(item, "publicKey"); !key.empty()) metadata.launch_keys.push_back(key);
    if (const std::string print = aws::child_text(item, "keyFingerprint"); !print.empty()) metadata.launch_key_fingerprints.push_back(print);
  }
  return {};
}

Result<void> add_metadata(evidence::CaseFolder& folder, const InstanceRecord& instance, detect::InstanceMetadata& metadata) {
  const std::string base = "instances/" + instance.instance;
  metadata.instance = instance.instance;
  metadata.launch_key_name = instance.key_name;
  if (const auto launched = parse_iso8601(instance.launch_time)) metadata.launch_time = *launched;
  ICECORE_ASSIGN(metadata.user_data, text_of(folder, base + "/user-data"));
  for (const char* name : {"/console-output.txt", "/console-output-latest.txt"}) {
    ICECORE_ASSIGN(auto console, text_of(folder, base + name));
    if (console) metadata.console_output.push_back(std::move(*console));
  }
  return add_launch_key(folder, base + "/describe-key-pairs.xml", metadata);
}

}  // namespace

Result<void> add_control_plane(Workspace& workspace, const Target& target, std::vector<artefact::Event>& events, detect::InstanceMetadata& metadata) {
  if (!workspace.has_case()) return {};
  evidence::CaseFolder& folder = workspace.folder();
  metadata.own_requests = folder.ledger().summary().requests();
  if (target.instance) ICECORE_CHECK(add_metadata(folder, *target.instance, metadata));
  std::set<std::string, std::less<>> seen;  // a key may be in both files
  artefact::FunctionSink sink([&](artefact::Event event) -> Result<void> {
    if (seen.insert(std::string(event.field("event_id"))).second) events.push_back(std::move(event));
    return {};
  });
  for (const std::string& file : trail_files()) {
    ICECORE_ASSIGN(const auto trail, text_of(folder, file));
    if (trail) ICECORE_CHECK(artefact::cloudtrail_events(trail->text, file, sink, workspace.anomalies()));
  }
  return {};
}

Result<std::vector<detect::Sweep>> sweep_machine(Workspace& workspace, const machine::Machine& machine) {
  std::vector<detect::Sweep> sweeps;
  for (const machine::Mount& mount : machine.mounts()) {
    const fs::FilesystemPtr& filesystem = machine.partitions()[mount.partition].filesystem;
    auto table = filesystem->sweep({}, workspace.anomalies(), workspace.progress());
    if (!table && machine::ends_the_run(table.error().code)) return Failure(table.error());
    if (!table) {
      workspace.anomalies().add("filesystem.sweep", table.error());
      sweeps.emplace_back();
      continue;
    }
    sweeps.push_back(detect::Sweep::of(std::move(*table)));
  }
  return sweeps;
}

}  // namespace icecore::engine
