// Launching, starting, stopping and terminating. The instances are records; nothing runs behind them.
#include <algorithm>

#include "ec2/handlers.h"
#include "ec2/kinds.h"

namespace icelab {
namespace {

json state(const char* name) {
  static const std::map<std::string, int> kCodes = {{"pending", 0},     {"running", 16},  {"shutting-down", 32},
                                                    {"terminated", 48}, {"stopping", 64}, {"stopped", 80}};
  return {{"Code", kCodes.at(name)}, {"Name", name}};
}

struct Launch {
  const json* image = nullptr;
  const json* type = nullptr;
  const json* subnet = nullptr;
  std::string zone;
  json groups = json::array();
  json instance_tags, volume_tags, interface_tags;
};

const json& launch_image(Ec2Call& call) {
  if (!call.in.contains("ImageId")) throw ApiError("MissingParameter", "The request must contain the parameter ImageId");
  return find_object(call, "images", call.text("ImageId"));
}

const json& launch_type(Ec2Call& call, const json& image) {
  const std::string name = call.text("InstanceType", "m1.small");
  const auto found = call.region["instance_types"].find(name);
  if (found == call.region["instance_types"].end()) throw ApiError("InvalidParameterValue", "Invalid value '" + name + "' for InstanceType.");
  const json architectures = found->second.value("ProcessorInfo", json::object()).value("SupportedArchitectures", json::array());
  const std::string wanted = image.value("Architecture", "");
  if (!architectures.empty() && std::find(architectures.begin(), architectures.end(), wanted) == architectures.end())
    throw ApiError("InvalidParameterValue", "The architecture '" + architectures[0].get<std::string>() +
                                                "' of the specified instance type does not match the architecture '" + wanted +
                                                "' of the specified AMI.");
  return found->second;
}

std::string subnet_wanted(const Ec2Call& call) {
  const json interfaces = call.list("NetworkInterfaces");
  if (!interfaces.empty() && (call.in.contains("SubnetId") || call.in.contains("SecurityGroupIds")))
    throw ApiError("InvalidParameterCombination",
                   "Network interfaces and an instance-level subnet ID or security groups may not be specified on the same request");
  return call.text("SubnetId", interfaces.empty() ? "" : interfaces[0].value("SubnetId", ""));
}

// The subnet that was named, else the default one of the zone, else the first default one.
const json& launch_subnet(Ec2Call& call) {
  const std::string zone = call.in.value("Placement", json::object()).value("AvailabilityZone", "");
  json zones = call.region.zones;
  if (!zone.empty() && find_by(zones, "ZoneName", zone) == nullptr)
    throw ApiError("InvalidParameterValue", "Invalid availability zone: [" + zone + "]");
  const std::string id = subnet_wanted(call);
  if (!id.empty()) {
    const json& subnet = find_object(call, "subnets", id);
    if (!zone.empty() && subnet.value("AvailabilityZone", "") != zone)
      throw ApiError("InvalidParameterValue", "The subnet '" + id + "' is not in the zone '" + zone + "'");
    return subnet;
  }
  for (const auto& [subnet_id, subnet] : call.region["subnets"]) {
    if (subnet.value("DefaultForAz", false) && (zone.empty() || subnet.value("AvailabilityZone", "") == zone)) return subnet;
  }
  throw ApiError("MissingInput", "No subnets found for the default VPC. Please specify a subnet.");
}

json launch_groups(Ec2Call& call, const std::string& vpc) {
  json ids = call.list("SecurityGroupIds");
  const json interfaces = call.list("NetworkInterfaces");
  if (!interfaces.empty()) ids = interfaces[0].value("Groups", json::array());
  json groups = json::array();
  for (const json& id : ids) {
    const json& group = find_object(call, "security_groups", id);
    if (group.value("VpcId", vpc) != vpc)
      throw ApiError("InvalidParameter", "Security group " + id.get<std::string>() + " and the subnet belong to different networks.");
    groups.push_back({{"GroupId", id}, {"GroupName", group.value("GroupName", "")}});
  }
  if (!groups.empty()) return groups;
  for (const auto& [id, group] : call.region["security_groups"]) {
    if (group.value("GroupName", "") == "default" && group.value("VpcId", vpc) == vpc) groups.push_back({{"GroupId", id}, {"GroupName", "default"}});
  }
  return groups;
}

Launch plan_launch(Ec2Call& call) {
  Launch launch;
  launch.image = &launch_image(call);
  launch.type = &launch_type(call, *launch.image);
  launch.subnet = &launch_subnet(call);
  launch.zone = launch.subnet->value("AvailabilityZone", "");
  launch.groups = launch_groups(call, launch.subnet->value("VpcId", ""));
  const std::vector<std::string> taggable = {"instance", "volume", "network-interface"};
  launch.instance_tags = tags_for(call, "instance", taggable);
  launch.volume_tags = tags_for(call, "volume", taggable);
  launch.interface_tags = tags_for(call, "network-interface", taggable);
  const std::int64_t least = call.in.value("MinCount", std::int64_t{1});
  const std::int64_t most = call.in.value("MaxCount", std::int64_t{1});
  if (least < 1 || most < least || most > 100) throw ApiError("InvalidParameterValue", "MinCount and MaxCount must be 1 to 100, and in order");
  if (call.in.contains("KeyName")) {
    bool known = false;
    for (const auto& [id, pair] : call.region["key_pairs"]) known = known || pair.value("KeyName", "") == call.text("KeyName");
    if (!known) throw ApiError("InvalidKeyPair.NotFound", "The key pair '" + call.text("KeyName") + "' does not exist");
  }
  return launch;
}

void ask_permission(Ec2Call& call, const Launch& launch) {
  const ConditionContext more = {{"ec2:instancetype", {(*launch.type)["InstanceType"]}}, {"ec2:availabilityzone", {launch.zone}}};
  std::vector<Resource> resources = {{"instance", "*", json::array(), true, more},
                                     {"volume", "*", json::array(), true, {}},
                                     {"network-interface", "*", json::array(), true, {}},
                                     {"image", (*launch.image)["ImageId"], tags_of(*launch.image), false, {}},
                                     {"subnet", (*launch.subnet)["SubnetId"], tags_of(*launch.subnet), false, {}}};
  for (const json& group : launch.groups) resources.push_back({"security-group", group["GroupId"], json::array(), false, {}});
  if (call.in.contains("KeyName")) resources.push_back({"key-pair", call.text("KeyName"), json::array(), false, {}});
  call.permit(resources);
  const json zones = launch.type->value("_zones", json());
  if (zones.is_array() && std::find(zones.begin(), zones.end(), launch.zone) == zones.end())
    throw ApiError("Unsupported", "Your requested instance type (" + launch.type->value("InstanceType", "") +
                                      ") is not supported in your requested Availability Zone (" + launch.zone + ").");
}

// The root volume and what else the image and the request map.
json make_volumes(Ec2Call& call, const Launch& launch, const std::string& instance) {
  json mappings = json::array();
  json wanted = launch.image->value("BlockDeviceMappings", json::array());
  for (const json& own : call.list("BlockDeviceMappings")) {
    json* old = find_by(wanted, "DeviceName", own.value("DeviceName", ""));
    if (old != nullptr) old->merge_patch(own);
    if (old == nullptr) wanted.push_back(own);
  }
  for (const json& mapping : wanted) {
    if (!mapping.contains("Ebs")) continue;
    const json& ebs = mapping["Ebs"];
    const std::string snapshot_id = ebs.value("SnapshotId", "");
    const json* snapshot = snapshot_id.empty() ? nullptr : &find_object(call, "snapshots", snapshot_id);
    const bool dies = ebs.value("DeleteOnTermination", true);
    const json volume = {{"VolumeId", new_id("vol-")},
                         {"Size", ebs.value("VolumeSize", snapshot != nullptr ? snapshot->value("VolumeSize", 8) : 8)},
                         {"SnapshotId", snapshot_id},
                         {"AvailabilityZone", launch.zone},
                         {"State", "in-use"},
                         {"CreateTime", call.now()},
                         {"VolumeType", ebs.value("VolumeType", "gp2")},
                         {"Encrypted", ebs.value("Encrypted", snapshot != nullptr && snapshot->value("Encrypted", false))},
                         {"Tags", launch.volume_tags},
                         {"MultiAttachEnabled", false},
                         {"Attachments", json::array({json{{"InstanceId", instance},
                                                           {"Device", mapping["DeviceName"]},
                                                           {"State", "attached"},
                                                           {"AttachTime", call.now()},
                                                           {"DeleteOnTermination", dies}}})}};
    const std::string id = volume["VolumeId"];
    json attachment = volume;
    attachment["Attachments"][0]["VolumeId"] = id;
    if (snapshot != nullptr) call.world.set_image(id, call.world.image(snapshot_id));
    call.region["volumes"][id] = attachment;
    mappings.push_back({{"DeviceName", mapping["DeviceName"]},
                        {"Ebs", {{"VolumeId", id}, {"Status", "attached"}, {"AttachTime", call.now()}, {"DeleteOnTermination", dies}}}});
  }
  return mappings;
}

std::string make_interface(Ec2Call& call, const Launch& launch, const std::string& instance) {
  const json& subnet = *launch.subnet;
  const std::string id = new_id("eni-");
  call.region["network_interfaces"][id] = {{"NetworkInterfaceId", id},
                                           {"SubnetId", subnet["SubnetId"]},
                                           {"VpcId", subnet.value("VpcId", "")},
                                           {"AvailabilityZone", launch.zone},
                                           {"Status", "in-use"},
                                           {"OwnerId", call.world.account},
                                           {"Groups", launch.groups},
                                           {"TagSet", launch.interface_tags},
                                           {"InterfaceType", "interface"},
                                           {"SourceDestCheck", true},
                                           {"PrivateIpAddress", "172.31.255.10"},
                                           {"MacAddress", "02:00:00:00:00:10"},
                                           {"Attachment",
                                            {{"InstanceId", instance},
                                             {"DeviceIndex", 0},
                                             {"Status", "attached"},
                                             {"DeleteOnTermination", true},
                                             {"AttachTime", call.now()},
                                             {"AttachmentId", new_id("eni-attach-")}}}};
  return id;
}

std::string make_instance(Ec2Call& call, const Launch& launch, std::int64_t index, const std::string& reservation) {
  const std::string id = new_id("i-");
  const json& subnet = *launch.subnet;
  json instance = {{"InstanceId", id},
                   {"ImageId", (*launch.image)["ImageId"]},
                   {"InstanceType", (*launch.type)["InstanceType"]},
                   {"State", state("pending")},
                   {"LaunchTime", call.now()},
                   {"AmiLaunchIndex", index},
                   {"Placement", {{"AvailabilityZone", launch.zone}, {"Tenancy", "default"}, {"GroupName", ""}}},
                   {"SubnetId", subnet["SubnetId"]},
                   {"VpcId", subnet.value("VpcId", "")},
                   {"SecurityGroups", launch.groups},
                   {"Architecture", launch.image->value("Architecture", "x86_64")},
                   {"RootDeviceName", launch.image->value("RootDeviceName", "/dev/xvda")},
                   {"RootDeviceType", "ebs"},
                   {"VirtualizationType", "hvm"},
                   {"Hypervisor", "xen"},
                   {"Monitoring", {{"State", "disabled"}}},
                   {"PrivateIpAddress", "172.31.255.10"},
                   {"ClientToken", call.text("ClientToken")},
                   {"EbsOptimized", call.flag("EbsOptimized")},
                   {"SourceDestCheck", true},
                   {"_reservation", reservation},
                   {"Tags", launch.instance_tags}};
  if (call.in.contains("KeyName")) instance["KeyName"] = call.in["KeyName"];
  if (call.in.contains("UserData")) instance["_user_data"] = call.in["UserData"];
  if (call.in.contains("IamInstanceProfile")) {
    const json& profile = call.in["IamInstanceProfile"];
    const std::string arn = profile.value("Arn", "arn:aws:iam::" + call.world.account + ":instance-profile/" + profile.value("Name", ""));
    instance["IamInstanceProfile"] = {{"Arn", arn}, {"Id", "AIPA0000000000000000L"}};
  }
  const json options = call.in.value("MetadataOptions", json::object());
  instance["MetadataOptions"] = {{"State", "applied"},
                                 {"HttpTokens", options.value("HttpTokens", "optional")},
                                 {"HttpEndpoint", options.value("HttpEndpoint", "enabled")},
                                 {"HttpPutResponseHopLimit", options.value("HttpPutResponseHopLimit", 1)}};
  instance["BlockDeviceMappings"] = make_volumes(call, launch, id);
  const std::string interface = make_interface(call, launch, id);
  instance["NetworkInterfaces"] = json::array({json{{"NetworkInterfaceId", interface},
                                                    {"SubnetId", subnet["SubnetId"]},
                                                    {"VpcId", subnet.value("VpcId", "")},
                                                    {"Groups", launch.groups},
                                                    {"Status", "in-use"},
                                                    {"OwnerId", call.world.account},
                                                    {"PrivateIpAddress", "172.31.255.10"}}});
  call.region["instances"][id] = std::move(instance);
  return id;
}

void move_later(Ec2Call& call, const std::string& id, const char* from, const char* to) {
  call.world.schedule(call.lab.clock.now() + call.lab.options.instance_ms, [&region = call.region, id, from, to] {
    const auto found = region["instances"].find(id);
    if (found != region["instances"].end() && found->second["State"]["Name"] == from) found->second["State"] = state(to);
  });
}

// What goes with a terminated instance: its interface, and the volumes that were to go.
void release(World& world, Region& region, const std::string& id) {
  for (auto& table = region["network_interfaces"]; auto& key : values_at(region["instances"][id], "NetworkInterfaces.NetworkInterfaceId"))
    table.erase(key);
  std::vector<std::string> dead;
  for (auto& [volume_id, volume] : region["volumes"]) {
    if (volume["Attachments"].empty() || volume["Attachments"][0]["InstanceId"] != id) continue;
    if (volume["Attachments"][0].value("DeleteOnTermination", false)) dead.push_back(volume_id);
    volume["Attachments"] = json::array();
    volume["State"] = "available";
  }
  for (const std::string& volume : dead) {
    region["volumes"].erase(volume);
    world.drop_image(volume);
  }
  json& instance = region["instances"][id];
  instance["State"] = state("terminated");
  instance["BlockDeviceMappings"] = json::array();
  instance["NetworkInterfaces"] = json::array();
  instance["SecurityGroups"] = json::array();
}

// The three calls that change the state of instances differ in little but the states.
json change_state(Ec2Call& call, const char* member, const std::vector<std::string>& from, const char* during, const char* after) {
  std::vector<Resource> resources;
  std::vector<json*> instances;
  for (const json& id : call.list("InstanceIds")) {
    json& instance = find_object(call, "instances", id);
    instances.push_back(&instance);
    resources.push_back({"instance", id, tags_of(std::as_const(instance)), false, {}});
  }
  call.permit(resources);
  const bool ending = std::string(after) == "terminated";
  for (json* instance : instances) {
    const std::string now = (*instance)["State"].value("Name", "");
    const std::string id = (*instance)["InstanceId"];
    if (std::find(from.begin(), from.end(), now) == from.end())
      throw ApiError("IncorrectInstanceState", "The instance '" + id + "' is not in a state from which it can be " + after + ".");
    if (ending && instance->value("_attributes", json::object()).value("disableApiTermination", false))
      throw ApiError("OperationNotPermitted",
                     "The instance '" + id + "' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.");
  }
  json list = json::array();
  for (json* instance : instances) {
    const json before = (*instance)["State"];
    const std::string id = (*instance)["InstanceId"];
    if (before["Name"] != after) (*instance)["State"] = state(during);
    list.push_back({{"InstanceId", id}, {"PreviousState", before}, {"CurrentState", (*instance)["State"]}});
    if (before["Name"] == after) continue;
    if (ending) {
      call.world.schedule(call.lab.clock.now() + call.lab.options.instance_ms,
                          [&world = call.world, &region = call.region, id] { release(world, region, id); });
    } else {
      move_later(call, id, during, after);
    }
  }
  return {{member, std::move(list)}};
}

}  // namespace

json run_instances(Ec2Call& call) {
  const Launch launch = plan_launch(call);
  ask_permission(call, launch);
  const auto ids = once_per_token(call, [&] {
    std::vector<std::string> made;
    const std::string reservation = new_id("r-");
    const std::int64_t count = call.in.value("MaxCount", std::int64_t{1});
    for (std::int64_t i = 0; i < count; ++i) {
      made.push_back(make_instance(call, launch, i, reservation));
      move_later(call, made.back(), "pending", "running");
    }
    return made;
  });
  json out = {{"OwnerId", call.world.account}, {"Groups", json::array()}, {"Instances", json::array()}};
  for (const std::string& id : ids) {
    const json& instance = find_object(call, "instances", id);
    out["ReservationId"] = instance["_reservation"];
    out["Instances"].push_back(instance);
  }
  return out;
}

json terminate_instances(Ec2Call& call) {
  return change_state(call, "TerminatingInstances", {"pending", "running", "stopping", "stopped", "shutting-down", "terminated"}, "shutting-down",
                      "terminated");
}
json stop_instances(Ec2Call& call) { return change_state(call, "StoppingInstances", {"running", "stopping", "stopped"}, "stopping", "stopped"); }
json start_instances(Ec2Call& call) { return change_state(call, "StartingInstances", {"stopped", "pending", "running"}, "pending", "running"); }

}  // namespace icelab
