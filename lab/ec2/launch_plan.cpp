#include <algorithm>

#include "ec2/kinds.h"
#include "ec2/launch.h"

namespace icelab {
namespace {

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

}  // namespace

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

// The profile must be there, and the caller must be allowed to hand its role to an instance.
void permit_profile(Ec2Call& call) {
  const json wanted = call.in.value("IamInstanceProfile", json::object());
  if (wanted.empty()) return;
  for (const json& profile : call.world.instance_profiles) {
    if (profile.value("InstanceProfileName", "") != wanted.value("Name", "-") && profile.value("Arn", "") != wanted.value("Arn", "-")) continue;
    for (const json& role : profile.value("Roles", json::array())) {
      const std::string arn = role.value("Arn", "");
      ConditionContext context = {{"iam:passedtoservice", {"ec2.amazonaws.com"}}};
      for (const json& one : call.world.roles) {
        if (one.value("Arn", "") != arn) continue;
        for (const json& tag : one.value("_tags", json::array()))
          context["aws:resourcetag/" + lowercase(tag.value("Key", ""))] = {tag.value("Value", "")};
      }
      if (call.principal.may({"iam:PassRole", arn, context}) == Decision::allowed) continue;
      throw ApiError("UnauthorizedOperation",
                     "You are not authorized to perform this operation. User: " + call.principal.arn +
                         " is not authorized to perform: iam:PassRole on resource: " + arn + " because no identity-based policy allows it",
                     403);
    }
    return;
  }
  throw ApiError("InvalidParameterValue", "Value (" + wanted.value("Name", wanted.value("Arn", "")) +
                                              ") for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name");
}

void permit_launch(Ec2Call& call, const Launch& launch) {
  const ConditionContext more = {{"ec2:instancetype", {(*launch.type)["InstanceType"]}}, {"ec2:availabilityzone", {launch.zone}}};
  std::vector<Resource> resources = {{"instance", "*", json::array(), true, more},
                                     {"volume", "*", json::array(), true, {}},
                                     {"network-interface", "*", json::array(), true, {}},
                                     {"image", (*launch.image)["ImageId"], tags_of(*launch.image), false, {}},
                                     {"subnet", (*launch.subnet)["SubnetId"], tags_of(*launch.subnet), false, {}}};
  for (const json& group : launch.groups)
    resources.push_back(
        {"security-group", group["GroupId"], tags_of(std::as_const(find_object(call, "security_groups", group["GroupId"]))), false, {}});
  if (call.in.contains("KeyName")) resources.push_back({"key-pair", call.text("KeyName"), json::array(), false, {}});
  permit_profile(call);
  call.permit(resources);
  const json zones = launch.type->value("_zones", json());
  if (zones.is_array() && std::find(zones.begin(), zones.end(), launch.zone) == zones.end())
    throw ApiError("Unsupported", "Your requested instance type (" + launch.type->value("InstanceType", "") +
                                      ") is not supported in your requested Availability Zone (" + launch.zone + ").");
}

}  // namespace icelab
