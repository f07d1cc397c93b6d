#include "ec2/actions.h"

#include <map>

#include "ec2/handlers.h"

namespace icelab {
namespace {

constexpr auto kRead = Kind::read;
constexpr auto kReadOne = Kind::read_one;
constexpr auto kWrite = Kind::write;

// Limits of MaxResults as the API reference gives them.
const Ec2Action kActions[] = {
    {"DescribeInstances", kRead, describe_instances, nullptr, "Reservations", 5, 1000, "InstanceIds"},
    {"DescribeInstanceAttribute", kReadOne, describe_instance_attribute},
    {"DescribeInstanceStatus", kRead, describe_instance_status, nullptr, "InstanceStatuses", 5, 1000, "InstanceIds"},
    {"DescribeInstanceTypes", kRead, describe_instance_types, nullptr, "InstanceTypes", 5, 100, "InstanceTypes"},
    {"DescribeInstanceTypeOfferings", kRead, describe_instance_type_offerings, nullptr, "InstanceTypeOfferings"},
    {"DescribeInstanceCreditSpecifications", kRead, describe_instance_credit_specifications, nullptr, "InstanceCreditSpecifications", 5, 1000,
     "InstanceIds"},
    {"DescribeVolumes", kRead, nullptr, "volumes", "Volumes", 5, 1000, "VolumeIds"},
    {"DescribeVolumeAttribute", kReadOne, describe_volume_attribute},
    {"DescribeVolumeStatus", kRead, describe_volume_status, nullptr, "VolumeStatuses", 5, 1000, "VolumeIds"},
    {"DescribeSnapshots", kRead, describe_snapshots, nullptr, "Snapshots", 5, 1000, "SnapshotIds"},
    {"DescribeSnapshotAttribute", kReadOne, describe_snapshot_attribute},
    {"DescribeSnapshotTierStatus", kRead, describe_snapshot_tier_status, nullptr, "SnapshotTierStatuses"},
    {"DescribeLockedSnapshots", kRead, describe_locked_snapshots, nullptr, "Snapshots"},
    {"DescribeNetworkInterfaces", kRead, nullptr, "network_interfaces", "NetworkInterfaces", 5, 1000, "NetworkInterfaceIds"},
    {"DescribeSecurityGroups", kRead, nullptr, "security_groups", "SecurityGroups", 5, 1000, "GroupIds"},
    {"DescribeSecurityGroupRules", kRead, describe_security_group_rules, nullptr, "SecurityGroupRules"},
    {"DescribeSubnets", kRead, nullptr, "subnets", "Subnets"},
    {"DescribeVpcs", kRead, nullptr, "vpcs", "Vpcs"},
    {"DescribeImages", kRead, describe_images, nullptr, "Images", 1, 1000, "ImageIds", true},
    {"DescribeImageAttribute", kReadOne, describe_image_attribute},
    {"DescribeLaunchTemplates", kRead, nullptr, "launch_templates", "LaunchTemplates", 1, 200},
    {"DescribeLaunchTemplateVersions", kRead, describe_launch_template_versions, nullptr, "LaunchTemplateVersions", 1, 200},
    {"GetLaunchTemplateData", kReadOne, get_launch_template_data},
    {"DescribeKeyPairs", kRead, describe_key_pairs},
    {"DescribeIamInstanceProfileAssociations", kRead, nullptr, "iam_instance_profile_associations", "IamInstanceProfileAssociations"},
    {"DescribeAvailabilityZones", kRead, describe_availability_zones},
    {"DescribeRegions", kRead, describe_regions},
    {"DescribeAddresses", kRead, nullptr, "addresses"},
    {"DescribeTags", kRead, describe_tags, nullptr, "Tags"},
    {"DescribeFlowLogs", kRead, nullptr, "flow_logs", "FlowLogs", 1, 1000},
    {"DescribeRouteTables", kRead, nullptr, "route_tables", "RouteTables", 5, 100},
    {"DescribeNetworkAcls", kRead, nullptr, "network_acls", "NetworkAcls"},
    {"DescribeAccountAttributes", kRead, describe_account_attributes},
    {"GetEbsEncryptionByDefault", kRead, get_ebs_encryption_by_default},
    {"GetEbsDefaultKmsKeyId", kRead, get_ebs_default_kms_key_id},
    {"GetConsoleOutput", kReadOne, get_console_output},
    {"GetConsoleScreenshot", kReadOne, get_console_screenshot},
    {"CreateSnapshot", kWrite, create_snapshot},
    {"CreateSnapshots", kWrite, create_snapshots},
    {"CopySnapshot", kWrite, copy_snapshot},
    {"DeleteSnapshot", kWrite, delete_snapshot},
    {"ModifySnapshotAttribute", kWrite, modify_snapshot_attribute},
    {"LockSnapshot", kWrite, lock_snapshot},
    {"UnlockSnapshot", kWrite, unlock_snapshot},
    {"CreateTags", kWrite, create_tags},
    {"DeleteTags", kWrite, delete_tags},
    {"CreateVolume", kWrite, create_volume},
    {"DeleteVolume", kWrite, delete_volume},
    {"AttachVolume", kWrite, attach_volume},
    {"DetachVolume", kWrite, detach_volume},
    {"RunInstances", kWrite, run_instances},
    {"TerminateInstances", kWrite, terminate_instances},
    {"StopInstances", kWrite, stop_instances},
    {"StartInstances", kWrite, start_instances},
    {"ModifyInstanceAttribute", kWrite, modify_instance_attribute},
    {"CreateSecurityGroup", kWrite, create_security_group},
    {"DeleteSecurityGroup", kWrite, delete_security_group},
    {"AuthorizeSecurityGroupIngress", kWrite, authorize_ingress},
    {"AuthorizeSecurityGroupEgress", kWrite, authorize_egress},
    {"RevokeSecurityGroupIngress", kWrite, revoke_ingress},
    {"RevokeSecurityGroupEgress", kWrite, revoke_egress},
    {"CreateKeyPair", kWrite, create_key_pair},
    {"ImportKeyPair", kWrite, import_key_pair},
    {"DeleteKeyPair", kWrite, delete_key_pair},
};

}  // namespace

const Ec2Action* find_ec2_action(const std::string& name) {
  static const std::map<std::string, const Ec2Action*> kByName = [] {
    std::map<std::string, const Ec2Action*> out;
    for (const Ec2Action& action : kActions) out[action.name] = &action;
    return out;
  }();
  const auto found = kByName.find(name);
  return found == kByName.end() ? nullptr : found->second;
}

}  // namespace icelab
