#include "engine/instance_record.h"

#include <fmt/format.h>
#include <functional>

#include "core/text.h"
#include "evidence/case_path.h"
#include "evidence/ledger.h"

namespace icecore::engine {
namespace {

std::vector<std::string> texts_at(const Json& object, std::string_view member) {
  std::vector<std::string> texts;
  for (const Json& item : json_at(object, {member}))
    if (item.is_string()) texts.push_back(item.get<std::string>());
  return texts;
}

std::uint64_t number_at(const Json& object, std::string_view member) {
  const Json& value = json_at(object, {member});
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

bool flag_at(const Json& object, std::string_view member) { return json_at(object, {member}) == Json(true); }

AttachedVolume parse_volume(const Json& json) {
  return {text_at(json, "device"), text_at(json, "volume"), number_at(json, "size_gib"), flag_at(json, "encrypted"), flag_at(json, "root")};
}

// Files of the case called `PREFIX…/NAME`, in order of their paths.
template <typename Record>
Result<std::vector<Record>> records_of(const evidence::LedgerSummary& ledger, const std::function<Result<std::string>(const std::string&)>& read,
                                       std::string_view prefix, std::string_view name, Result<Record> (*parse)(std::string_view)) {
  std::vector<Record> records;
  for (const auto& [path, file] : ledger.files()) {
    if (!path.starts_with(prefix) || !path.ends_with(name)) continue;
    ICECORE_ASSIGN(const std::string text, read(path));
    ICECORE_ASSIGN(records.emplace_back(), parse(text));
  }
  return records;
}

template <typename Record>
Result<std::vector<Record>> records_of(const evidence::CaseFolder& folder, std::string_view prefix, std::string_view name,
                                       Result<Record> (*parse)(std::string_view)) {
  const auto read = [&](const std::string& path) { return folder.read(path); };
  return records_of<Record>(folder.ledger().summary(), read, prefix, name, parse);
}

}  // namespace

Json to_json(const InstanceRecord& r) {
  Json volumes = Json::array();
  for (const AttachedVolume& v : r.volumes)
    volumes.push_back({{"device", v.device}, {"volume", v.volume}, {"size_gib", v.size_gib}, {"encrypted", v.encrypted}, {"root", v.root}});
  return {{"format", "icecore-instance/1"},
          {"instance", r.instance},
          {"account", r.account},
          {"region", r.region},
          {"zone", r.zone},
          {"state", r.state},
          {"type", r.type},
          {"image", r.image},
          {"platform", r.platform},
          {"key_name", r.key_name},
          {"launch_time", r.launch_time},
          {"root_device", r.root_device},
          {"private_addresses", r.private_addresses},
          {"public_addresses", r.public_addresses},
          {"network_interfaces", r.network_interfaces},
          {"security_groups", r.security_groups},
          {"volumes", std::move(volumes)},
          {"instance_store", r.instance_store}};
}

Result<InstanceRecord> parse_instance_record(std::string_view text) {
  ICECORE_ASSIGN(const Json json, parse_json(text, "metadata.json"));
  InstanceRecord r{text_at(json, "instance"),
                   text_at(json, "account"),
                   text_at(json, "region"),
                   text_at(json, "zone"),
                   text_at(json, "state"),
                   text_at(json, "type"),
                   text_at(json, "image"),
                   text_at(json, "key_name"),
                   text_at(json, "launch_time"),
                   text_at(json, "root_device"),
                   text_at(json, "platform"),
                   texts_at(json, "private_addresses"),
                   texts_at(json, "public_addresses"),
                   texts_at(json, "network_interfaces"),
                   texts_at(json, "security_groups"),
                   {},
                   false};
  for (const Json& volume : json_at(json, {"volumes"})) r.volumes.push_back(parse_volume(volume));
  r.instance_store = flag_at(json, "instance_store");
  if (r.instance.empty()) return fail(Code::kCorrupt, "metadata.json names no instance");
  return r;
}

Json to_json(const SnapshotRecord& r) {
  return {
      {"format", "icecore-snapshot/1"}, {"snapshot", r.snapshot}, {"volume", r.volume},   {"instance", r.instance},       {"device", r.device},
      {"account", r.account},           {"region", r.region},     {"started", r.started}, {"description", r.description}, {"size_gib", r.size_gib},
      {"encrypted", r.encrypted}};
}

Result<SnapshotRecord> parse_snapshot_record(std::string_view text) {
  ICECORE_ASSIGN(const Json json, parse_json(text, "snapshot.json"));
  SnapshotRecord r{text_at(json, "snapshot"),   text_at(json, "volume"),   text_at(json, "instance"), text_at(json, "device"),
                   text_at(json, "account"),    text_at(json, "region"),   text_at(json, "started"),  text_at(json, "description"),
                   number_at(json, "size_gib"), flag_at(json, "encrypted")};
  if (r.snapshot.empty() || r.size_gib == 0) return fail(Code::kCorrupt, "snapshot.json names no snapshot or no size");
  return r;
}

Result<std::vector<InstanceRecord>> instances_of(const evidence::CaseFolder& folder) {
  return records_of<InstanceRecord>(folder, "instances/", "/metadata.json", parse_instance_record);
}

Result<std::vector<SnapshotRecord>> snapshots_of(const evidence::CaseFolder& folder) {
  return records_of<SnapshotRecord>(folder, "snapshots/", "/snapshot.json", parse_snapshot_record);
}

// The run that holds the case goes on writing its ledger: a last line that is not whole yet is left for later.
Result<std::vector<SnapshotRecord>> snapshots_beside(const Path& case_folder) {
  evidence::LedgerSummary ledger;
  ICECORE_CHECK(evidence::read_ledger(case_folder / "ledger.jsonl", [&](const evidence::Entry& entry, std::uint64_t) -> Result<void> {
    ledger.add(entry);
    return {};
  }));
  const auto read = [&](const std::string& path) -> Result<std::string> {
    ICECORE_ASSIGN(const std::string relative, evidence::checked_relative(path));
    ICECORE_ASSIGN(const FileDescriptor file, evidence::open_beneath(case_folder, relative));
    return read_text_file(Path("/proc/self/fd") / std::to_string(file.get()));
  };
  return records_of<SnapshotRecord>(ledger, read, "snapshots/", "/snapshot.json", parse_snapshot_record);
}

}  // namespace icecore::engine
