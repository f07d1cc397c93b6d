// The instances are records; with --vm a machine runs behind each (vm/machine.h).
#include "ec2/handlers.h"
#include "ec2/launch.h"

namespace icelab {
namespace {

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
    // Snapshots behind other accounts' images cannot be seen, and need not be.
    const auto& snapshots = call.region["snapshots"];
    const auto found = snapshots.find(snapshot_id);
    const json* snapshot = found == snapshots.end() ? nullptr : &found->second;
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

}  // namespace

std::string make_instance(Ec2Call& call, const Launch& launch, std::int64_t index, const std::string& reservation) {
  const std::string id = new_id("i-");
  const json& subnet = *launch.subnet;
  json instance = {{"InstanceId", id},
                   {"ImageId", (*launch.image)["ImageId"]},
                   {"InstanceType", (*launch.type)["InstanceType"]},
                   {"State", instance_state("pending")},
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
  const json interfaces = call.list("NetworkInterfaces");
  const bool by_subnet =
      launch.subnet->value("MapPublicIpOnLaunch", false) && (interfaces.empty() || !interfaces[0].contains("AssociatePublicIpAddress"));
  if (by_subnet || (!interfaces.empty() && interfaces[0].value("AssociatePublicIpAddress", false))) instance["PublicIpAddress"] = "203.0.113.10";
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

json run_instances(Ec2Call& call) {
  const Launch launch = plan_launch(call);
  permit_launch(call, launch);
  const auto ids = once_per_token(call, [&] {
    std::vector<std::string> made;
    const std::string reservation = new_id("r-");
    const std::int64_t count = call.in.value("MaxCount", std::int64_t{1});
    for (std::int64_t i = 0; i < count; ++i) {
      made.push_back(make_instance(call, launch, i, reservation));
      call.lab.machines.start(made.back());
      move_instance_later(call, made.back(), "pending", "running");
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

}  // namespace icelab
