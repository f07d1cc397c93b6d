#include <algorithm>

#include "ec2/describe.h"
#include "ec2/handlers.h"
#include "ec2/kinds.h"
#include "ec2/snapshots.h"

namespace icelab {
namespace {

void check_zone(const Ec2Call& call, const std::string& zone) {
  if (zone.empty()) throw ApiError("MissingParameter", "The request must contain the parameter AvailabilityZone");
  json zones = call.region.zones;
  if (find_by(zones, "ZoneName", zone) == nullptr) throw ApiError("InvalidZone.NotFound", "The zone '" + zone + "' does not exist.");
}

void check_performance(const std::string& type, const json& in) {
  const bool provisioned = type == "io1" || type == "io2";
  if (provisioned && !in.contains("Iops")) throw ApiError("MissingParameter", "The request must contain the parameter iops");
  if (in.contains("Iops") && !provisioned && type != "gp3")
    throw ApiError("InvalidParameterCombination", "The parameter iops is not supported for " + type + " volumes.");
  if (in.contains("Throughput") && type != "gp3")
    throw ApiError("InvalidParameterCombination", "The parameter throughput is not supported for " + type + " volumes.");
}

json new_volume(Ec2Call& call, const json* snapshot, const json& tags) {
  const std::string type = call.text("VolumeType", "gp2");
  check_performance(type, call.in);
  const std::int64_t from = snapshot != nullptr ? snapshot->value("VolumeSize", std::int64_t{1}) : 0;
  if (snapshot == nullptr && !call.in.contains("Size")) throw ApiError("MissingParameter", "The request must contain the parameter size/snapshot");
  const std::int64_t size = call.in.value("Size", from);
  if (size < from)
    throw ApiError("InvalidParameterValue", "The volume size must not be smaller than the snapshot's (" + std::to_string(from) + " GiB)");
  if (size < 1 || size > 65'536) throw ApiError("InvalidParameterValue", "Volume of " + std::to_string(size) + "GiB is too small or too large");
  json volume = {{"VolumeId", new_id("vol-")},
                 {"Size", size},
                 {"State", "creating"},
                 {"VolumeType", type},
                 {"AvailabilityZone", call.text("AvailabilityZone")},
                 {"CreateTime", call.now()},
                 {"Attachments", json::array()},
                 {"SnapshotId", call.text("SnapshotId")},
                 {"MultiAttachEnabled", call.flag("MultiAttachEnabled")},
                 {"Iops", call.in.value("Iops", type == "gp3" ? std::int64_t{3000} : std::max<std::int64_t>(100, size * 3))}};
  if (type == "gp3") volume["Throughput"] = call.in.value("Throughput", 125);
  const bool encrypted = call.flag("Encrypted") || (snapshot != nullptr && snapshot->value("Encrypted", false));
  volume["Encrypted"] = encrypted;
  if (encrypted && call.in.contains("KmsKeyId")) volume["KmsKeyId"] = call.in["KmsKeyId"];
  if (encrypted && !call.in.contains("KmsKeyId") && snapshot != nullptr && snapshot->contains("KmsKeyId"))
    volume["KmsKeyId"] = (*snapshot)["KmsKeyId"];
  if (!tags.empty()) volume["Tags"] = tags;
  return volume;
}

}  // namespace

json create_volume(Ec2Call& call) {
  const std::string zone = call.text("AvailabilityZone");
  check_zone(call, zone);
  const std::string snapshot_id = call.text("SnapshotId");
  const json* snapshot = snapshot_id.empty() ? nullptr : &find_object(call, "snapshots", snapshot_id);
  if (snapshot != nullptr && !snapshot_visible(call, *snapshot)) throw not_found(kind_of("snapshots"), snapshot_id);
  const json tags = tags_for(call, "volume", {"volume"});
  std::vector<Resource> resources = {
      {"volume", "*", json::array(), true, {{"ec2:availabilityzone", {zone}}, {"ec2:encrypted", {call.flag("Encrypted") ? "true" : "false"}}}}};
  // IAM looks at the snapshot too, which is why a policy that names only volumes is not enough.
  if (snapshot != nullptr) resources.push_back({"snapshot", snapshot_id, tags_of(*snapshot), false, {}});
  call.permit(resources);
  if (snapshot != nullptr && snapshot->value("State", "") != "completed")
    throw ApiError("IncorrectState", "Snapshot '" + snapshot_id + "' is in state '" + snapshot->value("State", "") + "'");
  if (snapshot != nullptr && snapshot->value("StorageTier", "") == "archive")
    throw ApiError("IncorrectState", "Snapshot '" + snapshot_id + "' is archived");
  const auto ids = once_per_token(call, [&]() -> std::vector<std::string> {
    json volume = new_volume(call, snapshot, tags);
    const std::string id = volume["VolumeId"];
    if (snapshot != nullptr) call.world.set_image(id, call.world.image(snapshot_id));
    std::string fate = "available";
    if (!call.lab.volume_fates.empty()) {
      fate = call.lab.volume_fates.front();
      call.lab.volume_fates.pop_front();
    }
    if (fate == "attaching") volume["_stuck"] = true;
    if (fate == "attaching") fate = "available";
    call.region["volumes"][id] = std::move(volume);
    if (fate != "creating")
      call.world.schedule(call.lab.clock.now() + call.lab.options.volume_ms, [&region = call.region, id, fate] {
        const auto found = region["volumes"].find(id);
        if (found != region["volumes"].end() && found->second["State"] == "creating") found->second["State"] = fate;
      });
    return {id};
  });
  const auto made = call.region["volumes"].find(ids.at(0));
  if (made == call.region["volumes"].end()) throw not_found(kind_of("volumes"), ids.at(0));
  return made->second;
}

json delete_volume(Ec2Call& call) {
  const std::string id = call.text("VolumeId");
  json& volume = find_object(call, "volumes", id);
  call.permit({{"volume", id, tags_of(volume), false, {}}});
  const std::string state = volume["State"];
  if (state == "in-use") {
    const auto instances = values_at(volume, "Attachments.InstanceId");
    throw ApiError("VolumeInUse", "Volume " + id + " is currently attached to " + (instances.empty() ? "an instance" : instances[0]));
  }
  if (state != "available" && state != "error") throw ApiError("IncorrectState", "The volume '" + id + "' is '" + state + "'");
  volume["State"] = "deleting";
  call.world.schedule(call.lab.clock.now() + call.lab.options.volume_ms, [&world = call.world, &region = call.region, id] {
    region["volumes"].erase(id);
    world.drop_image(id);
  });
  return json::object();
}

json describe_volume_attribute(Ec2Call& call) {
  const std::string id = call.text("VolumeId");
  const json& volume = find_object(call, "volumes", id);
  call.permit({{"volume", id, tags_of(volume), false, {}}});
  json out = {{"VolumeId", id}};
  if (call.text("Attribute") == "productCodes") {
    out["ProductCodes"] = json::array();
  } else {
    out["AutoEnableIO"] = {{"Value", volume.value("_auto_enable_io", false)}};
  }
  return out;
}

json describe_volume_status(Ec2Call& call) {
  static const FilterTable kFilters = {{"availability-zone", "AvailabilityZone"}, {"volume-status.status", "VolumeStatus.Status"}};
  const json filters = call.list("Filters");
  check_filters(filters, kFilters);
  call.in.erase("Filters");
  json list = json::array();
  for (const json& volume : select_objects(call, "volumes")) {
    const json status = {{"VolumeId", volume["VolumeId"]},
                         {"AvailabilityZone", volume["AvailabilityZone"]},
                         {"Actions", json::array()},
                         {"Events", json::array()},
                         {"VolumeStatus", {{"Status", "ok"}, {"Details", json::array({{{"Name", "io-enabled"}, {"Status", "passed"}}})}}}};
    if (matches_filters(status, filters, kFilters)) list.push_back(status);
  }
  return {{"VolumeStatuses", std::move(list)}};
}

}  // namespace icelab
