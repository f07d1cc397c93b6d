// AttachVolume and DetachVolume: the zone, the device name, and the states on the way.
#include <algorithm>

#include "ec2/handlers.h"
#include "ec2/kinds.h"

namespace icelab {
namespace {

constexpr std::size_t kMaxVolumes = 28;  // of a Nitro instance, interfaces included; the root and one interface are in it

std::string zone_of(const json& instance) { return instance.value("Placement", json::object()).value("AvailabilityZone", ""); }

json* mapping_of(json& instance, const std::string& volume) {
  for (json& mapping : instance["BlockDeviceMappings"]) {
    if (mapping.value("Ebs", json::object()).value("VolumeId", "") == volume) return &mapping;
  }
  return nullptr;
}

// /dev/sdf and /dev/xvdf are one attachment point to EC2's eyes only when spelled alike; the name must be a device's.
void check_device(json& instance, const std::string& id, const std::string& device) {
  const bool fine = device.starts_with("/dev/sd") || device.starts_with("/dev/xvd") || device.starts_with("sd") || device.starts_with("xvd");
  if (!fine || device.size() > 13)
    throw ApiError("InvalidParameterValue", "Value (" + device + ") for parameter device is invalid. " + device + " is not a valid EBS device name.");
  for (const json& mapping : instance["BlockDeviceMappings"]) {
    if (mapping.value("DeviceName", "") == device)
      throw ApiError("InvalidParameterValue",
                     "Invalid value '" + device + "' for unixDevice. Attachment point " + device + " is already in use (" + id + ")");
  }
}

// Every answer about an attachment also names its volume.
json attachment_reply(const json& volume) {
  json out = volume["Attachments"][0];
  out["VolumeId"] = volume["VolumeId"];
  return out;
}

void set_attachment(Region& region, const std::string& volume_id, const std::string& instance_id, const char* from, const char* to) {
  const auto volume = region["volumes"].find(volume_id);
  if (volume == region["volumes"].end()) return;
  for (json& attachment : volume->second["Attachments"]) {
    if (attachment["InstanceId"] == instance_id && attachment["State"] == from) attachment["State"] = to;
  }
  const auto instance = region["instances"].find(instance_id);
  if (instance == region["instances"].end()) return;
  json* mapping = mapping_of(instance->second, volume_id);
  if (mapping != nullptr && (*mapping)["Ebs"].value("Status", "") == from) (*mapping)["Ebs"]["Status"] = to;
}

void remove_attachment(Region& region, const std::string& volume_id, const std::string& instance_id) {
  const auto volume = region["volumes"].find(volume_id);
  if (volume != region["volumes"].end()) {
    volume->second["Attachments"] = json::array();
    volume->second["State"] = "available";
  }
  const auto instance = region["instances"].find(instance_id);
  if (instance == region["instances"].end()) return;
  json& mappings = instance->second["BlockDeviceMappings"];
  for (auto mapping = mappings.begin(); mapping != mappings.end(); ++mapping) {
    if (mapping->value("Ebs", json::object()).value("VolumeId", "") != volume_id) continue;
    mappings.erase(mapping);
    return;
  }
}

void check_attach_states(const json& volume, const json& instance) {
  const std::string state = volume.value("State", "");
  const std::string id = volume["VolumeId"];
  if (state == "in-use") throw ApiError("VolumeInUse", id + " is already attached to an instance");
  if (state != "available") throw ApiError("IncorrectState", id + " is not 'available'.");
  const std::string running = instance["State"].value("Name", "");
  if (running != "running" && running != "stopped")
    throw ApiError("IncorrectState", "Instance '" + instance.value("InstanceId", "") + "' is not 'running'.");
  if (zone_of(instance) != volume.value("AvailabilityZone", ""))
    throw ApiError("InvalidVolume.ZoneMismatch",
                   "The volume '" + id + "' is not in the same availability zone as instance '" + instance.value("InstanceId", "") + "'");
}

}  // namespace

json attach_volume(Ec2Call& call) {
  const std::string id = call.text("VolumeId");
  const std::string instance_id = call.text("InstanceId");
  const std::string device = call.text("Device");
  json& volume = find_object(call, "volumes", id);
  json& instance = find_object(call, "instances", instance_id);
  call.permit({{"volume", id, tags_of(volume), false, {}}, {"instance", instance_id, tags_of(instance), false, {}}});
  check_attach_states(volume, instance);
  check_device(instance, id, device);
  if (instance["BlockDeviceMappings"].size() + 1 >= kMaxVolumes)
    throw ApiError("AttachmentLimitExceeded", "Instance '" + instance_id + "' cannot take more volumes");
  volume["State"] = "in-use";
  volume["Attachments"] = json::array({{{"VolumeId", id},
                                        {"InstanceId", instance_id},
                                        {"Device", device},
                                        {"State", "attaching"},
                                        {"AttachTime", call.now()},
                                        {"DeleteOnTermination", false}}});
  instance["BlockDeviceMappings"].push_back(
      {{"DeviceName", device}, {"Ebs", {{"VolumeId", id}, {"Status", "attaching"}, {"AttachTime", call.now()}, {"DeleteOnTermination", false}}}});
  if (volume.value("_stuck", false)) return attachment_reply(volume);
  if (Machine* machine = call.lab.machines.of(instance_id); machine != nullptr)
    machine->plug(id, call.world.image(id), volume.value("Size", std::uint64_t{1}) << 30);
  call.world.schedule(call.lab.clock.now() + call.lab.options.volume_ms,
                      [&region = call.region, id, instance_id] { set_attachment(region, id, instance_id, "attaching", "attached"); });
  return attachment_reply(volume);
}

json detach_volume(Ec2Call& call) {
  const std::string id = call.text("VolumeId");
  json& volume = find_object(call, "volumes", id);
  const json attachments = volume.value("Attachments", json::array());
  const std::string instance_id = call.text("InstanceId", attachments.empty() ? "" : attachments[0].value("InstanceId", ""));
  std::vector<Resource> resources = {{"volume", id, tags_of(volume), false, {}}};
  if (!instance_id.empty()) resources.push_back({"instance", instance_id, tags_of(find_object(call, "instances", instance_id)), false, {}});
  call.permit(resources);
  if (attachments.empty()) throw ApiError("IncorrectState", "Volume '" + id + "' is in the 'available' state.");
  const json& attachment = attachments[0];
  const bool other_device = call.in.contains("Device") && attachment.value("Device", "") != call.text("Device");
  if (attachment.value("InstanceId", "") != instance_id || other_device)
    throw ApiError("InvalidAttachment.NotFound",
                   "The volume '" + id + "' is not attached to instance '" + instance_id + "' as device '" + call.text("Device") + "'.");
  const json& instance = find_object(call, "instances", instance_id);
  if (attachment.value("Device", "") == instance.value("RootDeviceName", "-") && instance["State"].value("Name", "") == "running")
    throw ApiError("OperationNotPermitted", "Unable to detach root volume '" + id + "' from instance '" + instance_id + "'");
  if (Machine* machine = call.lab.machines.of(instance_id); machine != nullptr) machine->unplug(id);
  set_attachment(call.region, id, instance_id, "attached", "detaching");
  set_attachment(call.region, id, instance_id, "attaching", "detaching");
  call.world.schedule(call.lab.clock.now() + call.lab.options.volume_ms,
                      [&region = call.region, id, instance_id] { remove_attachment(region, id, instance_id); });
  return attachment_reply(volume);
}

}  // namespace icelab
