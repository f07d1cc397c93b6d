#include "ec2/snapshots.h"

#include <algorithm>

#include "ec2/describe.h"
#include "ec2/handlers.h"
#include "ec2/kinds.h"

namespace icelab {
namespace {

bool owned(const Ec2Call& call, const json& snapshot) { return snapshot.value("OwnerId", "") == call.world.account; }

bool is_one_of(const json& list, const std::string& value) { return std::find(list.begin(), list.end(), value) != list.end(); }

bool owner_wanted(const Ec2Call& call, const json& snapshot) {
  const json owners = call.list("OwnerIds");
  if (owners.empty()) return true;
  return std::any_of(owners.begin(), owners.end(), [&](const json& owner) {
    return owner == snapshot.value("OwnerId", "") || owner == snapshot.value("OwnerAlias", "-") || (owner == "self" && owned(call, snapshot));
  });
}

bool restorable_wanted(const Ec2Call& call, const json& snapshot) {
  const json users = call.list("RestorableByUserIds");
  if (users.empty()) return true;
  const json shared = snapshot.value("_accounts", json::array());
  return std::any_of(users.begin(), users.end(), [&](const json& user) {
    if (user == "all") return snapshot.value("_public", false);
    const std::string account = user == "self" ? call.world.account : user.get<std::string>();
    return snapshot.value("OwnerId", "") == account || is_one_of(shared, account);
  });
}

// A snapshot of one volume as it is at this moment.
json snapshot_of(Ec2Call& call, const json& volume, json tags) {
  json snapshot = new_snapshot(call.lab, call.text("Description"));
  snapshot["VolumeId"] = volume["VolumeId"];
  snapshot["VolumeSize"] = volume["Size"];
  snapshot["Encrypted"] = volume.value("Encrypted", false);
  if (volume.contains("KmsKeyId")) snapshot["KmsKeyId"] = volume["KmsKeyId"];
  if (!tags.empty()) snapshot["Tags"] = std::move(tags);
  begin_snapshot(call.lab, call.region, snapshot, call.world.image(volume["VolumeId"]));
  return snapshot;
}

void check_description(const Ec2Call& call) {
  if (call.text("Description").size() > 255) throw ApiError("InvalidParameterValue", "Description is longer than 255 characters");
}

void check_volume_state(const json& volume) {
  const std::string state = volume.value("State", "");
  if (state != "available" && state != "in-use")
    throw ApiError("IncorrectState", "Volume '" + volume.value("VolumeId", "") + "' is in state '" + state + "'");
}

// The instance's EBS volumes that CreateSnapshots is to take.
std::vector<std::string> volumes_to_take(Ec2Call& call, const json& instance, const json& specification) {
  const json excluded = specification.value("ExcludeDataVolumeIds", json::array());
  std::vector<std::string> wanted;
  std::vector<std::string> data;
  for (const json& mapping : instance.value("BlockDeviceMappings", json::array())) {
    if (!mapping.contains("Ebs")) continue;
    const std::string id = mapping["Ebs"].value("VolumeId", "");
    const bool boot = mapping.value("DeviceName", "") == instance.value("RootDeviceName", "-");
    if (!boot) data.push_back(id);
    const bool left_out = boot ? specification.value("ExcludeBootVolume", false) : is_one_of(excluded, id);
    if (!left_out) wanted.push_back(id);
  }
  for (const json& id : excluded) {
    if (std::find(data.begin(), data.end(), id.get<std::string>()) == data.end())
      throw ApiError("InvalidParameterValue", "The volume '" + id.get<std::string>() + "' is not a data volume of the instance");
  }
  if (wanted.empty())
    throw ApiError("InvalidParameterValue",
                   "The instance '" + call.in["InstanceSpecification"].value("InstanceId", "") + "' has no EBS volumes to snapshot");
  return wanted;
}

}  // namespace

bool snapshot_visible(const Ec2Call& call, const json& snapshot) {
  return owned(call, snapshot) || snapshot.value("_public", false) || is_one_of(snapshot.value("_accounts", json::array()), call.world.account);
}

json new_snapshot(const Lab& lab, const std::string& description) {
  return {{"SnapshotId", new_id("snap-")},
          {"OwnerId", lab.world->account},
          {"StartTime", iso8601(lab.clock.now())},
          {"State", "pending"},
          {"Progress", "0%"},
          {"Description", description},
          {"StorageTier", "standard"},
          {"_began", lab.clock.now()},
          {"_done", lab.clock.now() + lab.options.snapshot_ms}};
}

void begin_snapshot(Lab& lab, Region& region, json snapshot, std::shared_ptr<const BlockImage> image) {
  const std::string id = snapshot["SnapshotId"];
  const Millis done = snapshot["_done"];
  const bool fails = lab.failing_snapshots > 0;
  if (fails) --lab.failing_snapshots;
  lab.world->set_image(id, std::move(image));
  region["snapshots"][id] = std::move(snapshot);
  lab.world->schedule(done, [&region, id, fails] {
    const auto found = region["snapshots"].find(id);
    if (found == region["snapshots"].end() || found->second["State"] != "pending") return;
    found->second["State"] = fails ? "error" : "completed";
    if (fails) found->second["StateMessage"] = "The lab was asked to let this snapshot fail";
    if (!fails) found->second["Progress"] = "100%";
  });
}

void show_progress(const Lab& lab, json& snapshot) {
  if (snapshot.value("State", "") != "pending" || !snapshot.contains("_began")) return;
  const Millis began = snapshot["_began"];
  const Millis whole = std::max<Millis>(snapshot["_done"].get<Millis>() - began, 1);
  snapshot["Progress"] = std::to_string(std::clamp<Millis>((lab.clock.now() - began) * 100 / whole, 0, 99)) + "%";
}

json describe_snapshots(Ec2Call& call) {
  json list = json::array();
  for (json& snapshot : select_objects(call, "snapshots", snapshot_visible)) {
    if (!owner_wanted(call, snapshot) || !restorable_wanted(call, snapshot)) continue;
    show_progress(call.lab, snapshot);
    list.push_back(std::move(snapshot));
  }
  return {{"Snapshots", std::move(list)}};
}

json create_snapshot(Ec2Call& call) {
  const std::string id = call.text("VolumeId");
  const json& volume = find_object(call, "volumes", id);
  json tags = tags_for(call, "snapshot", {"snapshot"});
  check_description(call);
  call.permit({{"volume", id, tags_of(volume), false, {}}, {"snapshot", "*", json::array(), true, {{"ec2:parentvolume", {call.arn("volume", id)}}}}});
  check_volume_state(volume);
  return snapshot_of(call, volume, std::move(tags));
}

json create_snapshots(Ec2Call& call) {
  const json specification = call.in.value("InstanceSpecification", json::object());
  const std::string instance_id = specification.value("InstanceId", "");
  const json& instance = find_object(call, "instances", instance_id);
  const json tags = tags_for(call, "snapshot", {"snapshot"});
  check_description(call);
  const auto volume_ids = volumes_to_take(call, instance, specification);
  std::vector<Resource> resources = {{"instance", instance_id, tags_of(instance), false, {}}, {"snapshot", "*", json::array(), true, {}}};
  for (const std::string& id : volume_ids) resources.push_back({"volume", id, tags_of(find_object(call, "volumes", id)), false, {}});
  call.permit(resources);
  const std::string state = instance["State"].value("Name", "");
  if (state != "running" && state != "stopped" && state != "stopping")
    throw ApiError("IncorrectState", "The instance '" + instance_id + "' is in state '" + state + "'");
  for (const std::string& id : volume_ids) check_volume_state(find_object(call, "volumes", id));
  json list = json::array();
  for (const std::string& id : volume_ids) {
    const json& volume = find_object(call, "volumes", id);
    json own = tags;
    if (call.text("CopyTagsFromSource") == "volume") {
      for (const json& tag : tags_of(volume)) {
        if (find_by(own, "Key", tag.value("Key", "")) == nullptr) own.push_back(tag);
      }
    }
    list.push_back(snapshot_of(call, volume, own));
  }
  return {{"Snapshots", std::move(list)}};
}

json copy_snapshot(Ec2Call& call) {
  const std::string id = call.text("SourceSnapshotId");
  const std::string source_region = call.text("SourceRegion");
  Region* source = call.world.region(source_region);
  if (source == nullptr) throw ApiError("InvalidParameterValue", "Value (" + source_region + ") for parameter sourceRegion is invalid.");
  if (!well_formed_id(id, "snap-")) throw malformed(kind_of("snapshots"), id);
  const auto found = (*source)["snapshots"].find(id);
  if (found == (*source)["snapshots"].end() || !snapshot_visible(call, found->second)) throw not_found(kind_of("snapshots"), id);
  json tags = tags_for(call, "snapshot", {"snapshot"});
  check_description(call);
  call.permit({{"snapshot", "*", json::array(), true, {}}, {"snapshot", id, tags_of(found->second), false, {}}});
  const json& original = found->second;
  if (original.value("State", "") != "completed") throw ApiError("IncorrectState", "Snapshot is in invalid state - " + original.value("State", ""));
  if (original.value("StorageTier", "standard") == "archive")
    throw ApiError("InvalidSnapshot.Archived", "The snapshot '" + id + "' is archived; restore it first");
  if (original.value("Encrypted", false) && call.in.contains("Encrypted") && !call.flag("Encrypted"))
    throw ApiError("InvalidParameterCombination", "A copy of an encrypted snapshot cannot be unencrypted");
  const std::string description = call.text("Description", "[Copied " + id + " from " + source_region + "]");
  json copy = new_snapshot(call.lab, description);
  copy["VolumeId"] = "vol-ffffffff";  // what AWS answers for every copy
  copy["VolumeSize"] = original["VolumeSize"];
  copy["Encrypted"] = original.value("Encrypted", false) || call.flag("Encrypted");
  if (copy["Encrypted"] == true)
    copy["KmsKeyId"] =
        call.text("KmsKeyId", "arn:aws:kms:" + call.region.name + ":" + call.world.account + ":key/00000000-0000-4000-8000-0000000aeb50");
  copy["_default_key"] = !call.in.contains("KmsKeyId");
  if (!tags.empty()) copy["Tags"] = tags;
  json out = {{"SnapshotId", copy["SnapshotId"]}, {"Tags", tags}};
  begin_snapshot(call.lab, call.region, std::move(copy), call.world.image(id));
  return out;
}

json delete_snapshot(Ec2Call& call) {
  const std::string id = call.text("SnapshotId");
  const json& snapshot = find_object(call, "snapshots", id);
  if (!snapshot_visible(call, snapshot)) throw not_found(kind_of("snapshots"), id);
  call.permit({{"snapshot", id, tags_of(snapshot), false, {}}});
  if (!owned(call, snapshot)) throw ApiError("OperationNotPermitted", "You do not own the snapshot '" + id + "'", 403);
  if (snapshot.contains("_lock")) throw ApiError("SnapshotLocked", "The snapshot '" + id + "' is locked and cannot be deleted");
  for (const auto& [image_id, image] : call.region["images"]) {
    const auto used = values_at(image, "BlockDeviceMappings.Ebs.SnapshotId");
    if (std::find(used.begin(), used.end(), id) != used.end())
      throw ApiError("InvalidSnapshot.InUse", "The snapshot " + id + " is currently in use by " + image_id);
  }
  call.region["snapshots"].erase(id);
  call.world.drop_image(id);
  return json::object();
}

}  // namespace icelab
