#include "engine/collect_metadata.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "engine/collect_console.h"

namespace icecore::engine {
namespace {

using aws::Parameters;

// DescribeInstanceAttribute gives one attribute a call. "userData" is what matters most: the attacker's boot script.
constexpr std::array kAttributes = {"userData",
                                    "instanceType",
                                    "disableApiTermination",
                                    "instanceInitiatedShutdownBehavior",
                                    "groupSet",
                                    "rootDeviceName",
                                    "blockDeviceMapping",
                                    "sourceDestCheck",
                                    "ebsOptimized",
                                    "enaSupport",
                                    "kernel",
                                    "ramdisk"};

Parameters filtered(std::string name, std::string value) {
  const aws::Filter filter{std::move(name), {std::move(value)}};
  return Parameters().filters(std::span(&filter, 1));
}

Parameters listed(std::string_view name, const std::vector<std::string>& ids) { return Parameters().list(name, ids); }

Result<aws::Instance> find_instance(EvidenceCalls& calls, const std::string& instance) {
  auto bodies = calls.describe("DescribeInstances", listed("InstanceId", {instance}), "describe-instances");
  if (!bodies && bodies.error().code == Code::kNotFound)
    return wrap(bodies.error(),
                fmt::format("{} is not in {} of this account; check the id, and name its region with --region", instance, calls.ec2().region()));
  if (!bodies) return Failure(bodies.error());
  std::vector<aws::Instance> found;
  for (const std::string& body : *bodies) {
    ICECORE_ASSIGN(const aws::XmlReply reply, aws::parse_xml(body, "DescribeInstances"));
    for (const pugi::xml_node reservation : reply.root.child("reservationSet").children("item"))
      for (const pugi::xml_node item : reservation.child("instancesSet").children("item")) {
        aws::read_item(item, found.emplace_back());
        found.back().owner_id = aws::child_text(reservation, "ownerId");
      }
  }
  const auto match = std::ranges::find(found, instance, &aws::Instance::id);
  if (match == found.end()) return fail(Code::kNotFound, fmt::format("AWS's answer does not contain {}", instance));
  if (match->state == "terminated")
    return fail(Code::kConflict,
                fmt::format("{} is terminated: its volumes cannot be snapshotted through it any more. Volumes that outlived it, and earlier "
                            "snapshots, can be collected by their own ids (icecore collect vol-… or snap-…)",
                            instance));
  return *match;
}

InstanceRecord summary_of(const aws::Instance& instance, const std::string& account, const std::string& region) {
  InstanceRecord record;
  record.instance = instance.id;
  record.account = account;
  record.region = region;
  record.zone = instance.availability_zone;
  record.state = instance.state;
  record.type = instance.instance_type;
  record.image = instance.image_id;
  record.platform = instance.platform;
  record.key_name = instance.key_name;
  record.launch_time = instance.launch_time ? to_iso8601(*instance.launch_time, 0) : "";
  record.root_device = instance.root_device_name;
  if (!instance.private_ip.empty()) record.private_addresses.push_back(instance.private_ip);
  if (!instance.public_ip.empty()) record.public_addresses.push_back(instance.public_ip);
  for (const auto& interface : instance.network_interfaces) record.network_interfaces.push_back(interface.id);
  record.security_groups = instance.security_groups;
  for (const aws::BlockDevice& device : instance.block_devices)
    record.volumes.push_back({device.device_name, device.volume_id, 0, false, device.device_name == instance.root_device_name});
  return record;
}

Result<void> describe_storage(EvidenceCalls& calls, InstanceRecord& record) {
  const aws::Filter attached{"attachment.instance-id", {record.instance}};
  ICECORE_ASSIGN(const auto bodies, calls.try_describe("DescribeVolumes", Parameters().filters(std::span(&attached, 1)), "describe-volumes"));
  ICECORE_ASSIGN(const auto volumes, items_of<aws::Volume>(bodies, "volumeSet", "DescribeVolumes"));
  std::vector<std::string> ids;
  for (AttachedVolume& attachment : record.volumes) {
    ids.push_back(attachment.volume);
    const auto volume = std::ranges::find(volumes, attachment.volume, &aws::Volume::id);
    if (volume == volumes.end()) continue;
    attachment.size_gib = volume->size_gib;
    attachment.encrypted = volume->encrypted;
  }
  if (ids.empty()) return {};
  const aws::Filter earlier{"volume-id", ids};
  return calls.try_describe("DescribeSnapshots", Parameters().filters(std::span(&earlier, 1)), "describe-snapshots").map([](const auto&) {});
}

Result<void> describe_network(EvidenceCalls& calls, const aws::Instance& instance) {
  const auto describe = [&](std::string_view action, const Parameters& parameters, std::string_view name) {
    return calls.try_describe(action, parameters, name).map([](const auto&) {});
  };
  ICECORE_CHECK(describe("DescribeNetworkInterfaces", filtered("attachment.instance-id", instance.id), "describe-network-interfaces"));
  ICECORE_CHECK(describe("DescribeAddresses", filtered("instance-id", instance.id), "describe-addresses"));
  if (!instance.security_groups.empty()) {
    const aws::Filter groups{"group-id", instance.security_groups};
    ICECORE_CHECK(describe("DescribeSecurityGroups", listed("GroupId", instance.security_groups), "describe-security-groups"));
    ICECORE_CHECK(describe("DescribeSecurityGroupRules", Parameters().filters(std::span(&groups, 1)), "describe-security-group-rules"));
  }
  if (!instance.subnet_id.empty()) ICECORE_CHECK(describe("DescribeSubnets", listed("SubnetId", {instance.subnet_id}), "describe-subnets"));
  if (!instance.vpc_id.empty()) ICECORE_CHECK(describe("DescribeVpcs", listed("VpcId", {instance.vpc_id}), "describe-vpcs"));
  return {};
}

// The launch template is only named by a tag that EC2 sets at launch.
Result<void> describe_launch_template(EvidenceCalls& calls, const aws::Instance& instance) {
  const std::string id = aws::tag_value(instance.tags, "aws:ec2launchtemplate:id");
  if (id.empty()) return {};
  ICECORE_CHECK(calls.try_describe("DescribeLaunchTemplates", listed("LaunchTemplateId", {id}), "describe-launch-templates"));
  Parameters versions;
  versions.set("LaunchTemplateId", id);
  return calls.try_describe("DescribeLaunchTemplateVersions", versions, "describe-launch-template-versions").map([](const auto&) {});
}

// Disks that come with the machine type (NVMe instance store) are not EBS: they are named, because they are not in the evidence.
Result<void> describe_type(EvidenceCalls& calls, const aws::Instance& instance, InstanceRecord& record) {
  ICECORE_ASSIGN(const auto bodies,
                 calls.try_describe("DescribeInstanceTypes", listed("InstanceType", {instance.instance_type}), "describe-instance-types"));
  ICECORE_ASSIGN(const auto types, items_of<aws::InstanceType>(bodies, "instanceTypeSet", "DescribeInstanceTypes"));
  record.instance_store = instance.root_device_type == "instance-store" || std::ranges::any_of(types, &aws::InstanceType::instance_storage);
  return {};
}

Result<void> describe_origin(EvidenceCalls& calls, const aws::Instance& instance) {
  const auto describe = [&](std::string_view action, const Parameters& parameters, std::string_view name) {
    return calls.try_describe(action, parameters, name).map([](const auto&) {});
  };
  ICECORE_CHECK(describe("DescribeImages", listed("ImageId", {instance.image_id}), "describe-images"));
  if (!instance.key_name.empty())
    ICECORE_CHECK(describe("DescribeKeyPairs", listed("KeyName", {instance.key_name}).set("IncludePublicKey", "true"), "describe-key-pairs"));
  ICECORE_CHECK(
      describe("DescribeIamInstanceProfileAssociations", filtered("instance-id", instance.id), "describe-iam-instance-profile-associations"));
  ICECORE_CHECK(describe_launch_template(calls, instance));
  ICECORE_CHECK(
      describe("DescribeInstanceStatus", listed("InstanceId", {instance.id}).set("IncludeAllInstances", "true"), "describe-instance-status"));
  ICECORE_CHECK(describe("DescribeInstanceCreditSpecifications", listed("InstanceId", {instance.id}), "describe-instance-credit-specifications"));
  return describe("DescribeTags", filtered("resource-id", instance.id), "describe-tags");
}

Result<void> describe_attributes(EvidenceCalls& calls, const std::string& instance) {
  for (const char* attribute : kAttributes) {
    Parameters parameters;
    parameters.set("InstanceId", instance).set("Attribute", attribute);
    ICECORE_CHECK(calls.try_describe("DescribeInstanceAttribute", parameters, fmt::format("attribute-{}", attribute)));
  }
  return {};
}

}  // namespace

Result<InstanceRecord> collect_metadata(Workspace& workspace, aws::Ec2& ec2, const std::string& instance, const std::string& account) {
  const std::string folder = "instances/" + instance;
  const std::string metadata = folder + "/metadata.json";
  if (is_collected(workspace.folder(), metadata)) {
    ICECORE_ASSIGN(const std::string text, workspace.folder().read(metadata));
    return parse_instance_record(text);
  }
  EvidenceCalls calls(workspace, ec2, folder);
  ICECORE_ASSIGN(const aws::Instance described, find_instance(calls, instance));
  // What does not last comes first: the console keeps its last 64 KiB, and a restart empties it.
  ICECORE_CHECK(collect_console(calls, instance));
  ICECORE_CHECK(describe_attributes(calls, instance));
  ICECORE_CHECK(collect_user_data(calls));
  InstanceRecord record = summary_of(described, account, ec2.region());
  ICECORE_CHECK(describe_storage(calls, record));
  ICECORE_CHECK(describe_network(calls, described));
  ICECORE_CHECK(describe_origin(calls, described));
  ICECORE_CHECK(describe_type(calls, described, record));
  ICECORE_CHECK(workspace.folder().write_evidence(metadata, to_json(record).dump(2) + '\n', "summary of the describe calls beside it"));
  return record;
}

}  // namespace icecore::engine
