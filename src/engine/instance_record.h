// What later stages need to know of an instance and of its snapshots, read from the case alone: instances/i-…/metadata.json and
// snapshots/snap-…/snapshot.json.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "evidence/case_folder.h"

namespace icecore::engine {

struct AttachedVolume {
  std::string device;  ///< as asked for: "/dev/xvda"
  std::string volume;
  std::uint64_t size_gib = 0;
  bool encrypted = false;
  bool root = false;
};

struct InstanceRecord {
  std::string instance, account, region, zone, state, type, image, key_name, launch_time, root_device, platform;
  std::vector<std::string> private_addresses, public_addresses;
  std::vector<std::string> network_interfaces, security_groups;
  std::vector<AttachedVolume> volumes;
  bool instance_store = false;  ///< the type brings disks of its own, which no snapshot can hold
};

Json to_json(const InstanceRecord& record);
Result<InstanceRecord> parse_instance_record(std::string_view text);

/// One evidence snapshot of the case.
struct SnapshotRecord {
  std::string snapshot, volume, instance, device, account, region, started, description;
  std::uint64_t size_gib = 0;
  bool encrypted = false;
};

Json to_json(const SnapshotRecord& record);
Result<SnapshotRecord> parse_snapshot_record(std::string_view text);

/// All of the case, by id. Empty where there are none.
Result<std::vector<InstanceRecord>> instances_of(const evidence::CaseFolder& folder);
Result<std::vector<SnapshotRecord>> snapshots_of(const evidence::CaseFolder& folder);
/// The same while another run holds the case: takes no lock and writes nothing.
Result<std::vector<SnapshotRecord>> snapshots_beside(const Path& case_folder);

}  // namespace icecore::engine
