#include "ec2/kinds.h"

#include <algorithm>
#include <stdexcept>

namespace icelab {
namespace {

const FilterTable kInstanceFilters = {{"instance-id", "InstanceId"},
                                      {"instance-state-name", "State.Name"},
                                      {"instance-state-code", "State.Code"},
                                      {"instance-type", "InstanceType"},
                                      {"image-id", "ImageId"},
                                      {"key-name", "KeyName"},
                                      {"vpc-id", "VpcId"},
                                      {"subnet-id", "SubnetId"},
                                      {"availability-zone", "Placement.AvailabilityZone"},
                                      {"private-ip-address", "PrivateIpAddress"},
                                      {"ip-address", "PublicIpAddress"},
                                      {"private-dns-name", "PrivateDnsName"},
                                      {"dns-name", "PublicDnsName"},
                                      {"architecture", "Architecture"},
                                      {"hypervisor", "Hypervisor"},
                                      {"launch-time", "LaunchTime"},
                                      {"client-token", "ClientToken"},
                                      {"root-device-name", "RootDeviceName"},
                                      {"root-device-type", "RootDeviceType"},
                                      {"tenancy", "Placement.Tenancy"},
                                      {"block-device-mapping.volume-id", "BlockDeviceMappings.Ebs.VolumeId"},
                                      {"block-device-mapping.device-name", "BlockDeviceMappings.DeviceName"},
                                      {"block-device-mapping.status", "BlockDeviceMappings.Ebs.Status"},
                                      {"block-device-mapping.delete-on-termination", "BlockDeviceMappings.Ebs.DeleteOnTermination"},
                                      {"instance.group-id", "SecurityGroups.GroupId"},
                                      {"instance.group-name", "SecurityGroups.GroupName"},
                                      {"group-id", "SecurityGroups.GroupId"},
                                      {"group-name", "SecurityGroups.GroupName"},
                                      {"network-interface.network-interface-id", "NetworkInterfaces.NetworkInterfaceId"},
                                      {"network-interface.vpc-id", "NetworkInterfaces.VpcId"},
                                      {"network-interface.subnet-id", "NetworkInterfaces.SubnetId"},
                                      {"iam-instance-profile.arn", "IamInstanceProfile.Arn"},
                                      {"iam-instance-profile.id", "IamInstanceProfile.Id"},
                                      {"metadata-options.http-tokens", "MetadataOptions.HttpTokens"},
                                      {"reservation-id", "_reservation"},
                                      {"owner-id", "_owner"}};

const FilterTable kVolumeFilters = {{"volume-id", "VolumeId"},
                                    {"status", "State"},
                                    {"size", "Size"},
                                    {"snapshot-id", "SnapshotId"},
                                    {"availability-zone", "AvailabilityZone"},
                                    {"create-time", "CreateTime"},
                                    {"encrypted", "Encrypted"},
                                    {"volume-type", "VolumeType"},
                                    {"multi-attach-enabled", "MultiAttachEnabled"},
                                    {"attachment.instance-id", "Attachments.InstanceId"},
                                    {"attachment.device", "Attachments.Device"},
                                    {"attachment.status", "Attachments.State"},
                                    {"attachment.attach-time", "Attachments.AttachTime"},
                                    {"attachment.delete-on-termination", "Attachments.DeleteOnTermination"}};

const FilterTable kSnapshotFilters = {
    {"snapshot-id", "SnapshotId"}, {"status", "State"},           {"volume-id", "VolumeId"},      {"volume-size", "VolumeSize"},
    {"owner-id", "OwnerId"},       {"owner-alias", "OwnerAlias"}, {"description", "Description"}, {"encrypted", "Encrypted"},
    {"progress", "Progress"},      {"start-time", "StartTime"},   {"storage-tier", "StorageTier"}};

const FilterTable kInterfaceFilters = {{"network-interface-id", "NetworkInterfaceId"},
                                       {"attachment.instance-id", "Attachment.InstanceId"},
                                       {"attachment.attachment-id", "Attachment.AttachmentId"},
                                       {"attachment.status", "Attachment.Status"},
                                       {"attachment.device-index", "Attachment.DeviceIndex"},
                                       {"availability-zone", "AvailabilityZone"},
                                       {"vpc-id", "VpcId"},
                                       {"subnet-id", "SubnetId"},
                                       {"group-id", "Groups.GroupId"},
                                       {"group-name", "Groups.GroupName"},
                                       {"mac-address", "MacAddress"},
                                       {"private-ip-address", "PrivateIpAddress"},
                                       {"addresses.private-ip-address", "PrivateIpAddresses.PrivateIpAddress"},
                                       {"association.public-ip", "Association.PublicIp"},
                                       {"status", "Status"},
                                       {"description", "Description"},
                                       {"owner-id", "OwnerId"},
                                       {"interface-type", "InterfaceType"},
                                       {"requester-id", "RequesterId"}};

const FilterTable kGroupFilters = {{"group-id", "GroupId"},
                                   {"group-name", "GroupName"},
                                   {"vpc-id", "VpcId"},
                                   {"description", "Description"},
                                   {"owner-id", "OwnerId"},
                                   {"ip-permission.cidr", "IpPermissions.IpRanges.CidrIp"},
                                   {"ip-permission.from-port", "IpPermissions.FromPort"},
                                   {"ip-permission.to-port", "IpPermissions.ToPort"},
                                   {"ip-permission.protocol", "IpPermissions.IpProtocol"},
                                   {"ip-permission.group-id", "IpPermissions.UserIdGroupPairs.GroupId"},
                                   {"egress.ip-permission.cidr", "IpPermissionsEgress.IpRanges.CidrIp"}};

const FilterTable kImageFilters = {{"image-id", "ImageId"},
                                   {"name", "Name"},
                                   {"state", "State"},
                                   {"architecture", "Architecture"},
                                   {"owner-id", "OwnerId"},
                                   {"owner-alias", "ImageOwnerAlias"},
                                   {"is-public", "Public"},
                                   {"root-device-type", "RootDeviceType"},
                                   {"root-device-name", "RootDeviceName"},
                                   {"virtualization-type", "VirtualizationType"},
                                   {"hypervisor", "Hypervisor"},
                                   {"creation-date", "CreationDate"},
                                   {"platform", "Platform"},
                                   {"description", "Description"},
                                   {"image-type", "ImageType"},
                                   {"ena-support", "EnaSupport"},
                                   {"block-device-mapping.snapshot-id", "BlockDeviceMappings.Ebs.SnapshotId"}};

std::vector<ResourceKind> make_kinds() {
  return {
      {"instances", "instance", "i-", "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed", "Instances", "InstanceIds", kInstanceFilters},
      {"volumes", "volume", "vol-", "InvalidVolume.NotFound", "InvalidVolumeID.Malformed", "Volumes", "VolumeIds", kVolumeFilters},
      {"snapshots", "snapshot", "snap-", "InvalidSnapshot.NotFound", "InvalidSnapshotID.Malformed", "Snapshots", "SnapshotIds", kSnapshotFilters},
      {"network_interfaces", "network-interface", "eni-", "InvalidNetworkInterfaceID.NotFound", "InvalidNetworkInterfaceId.Malformed",
       "NetworkInterfaces", "NetworkInterfaceIds", kInterfaceFilters},
      {"security_groups", "security-group", "sg-", "InvalidGroup.NotFound", "InvalidGroupId.Malformed", "SecurityGroups", "GroupIds", kGroupFilters},
      {"subnets",
       "subnet",
       "subnet-",
       "InvalidSubnetID.NotFound",
       "InvalidSubnetID.Malformed",
       "Subnets",
       "SubnetIds",
       {{"subnet-id", "SubnetId"},
        {"vpc-id", "VpcId"},
        {"availability-zone", "AvailabilityZone"},
        {"availabilityZone", "AvailabilityZone"},
        {"availability-zone-id", "AvailabilityZoneId"},
        {"cidr-block", "CidrBlock"},
        {"default-for-az", "DefaultForAz"},
        {"state", "State"},
        {"owner-id", "OwnerId"}}},
      {"vpcs",
       "vpc",
       "vpc-",
       "InvalidVpcID.NotFound",
       "InvalidVpcID.Malformed",
       "Vpcs",
       "VpcIds",
       {{"vpc-id", "VpcId"},
        {"cidr", "CidrBlock"},
        {"is-default", "IsDefault"},
        {"isDefault", "IsDefault"},
        {"state", "State"},
        {"owner-id", "OwnerId"}}},
      {"images", "image", "ami-", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "Images", "ImageIds", kImageFilters},
      {"launch_templates",
       "launch-template",
       "lt-",
       "InvalidLaunchTemplateId.NotFound",
       "InvalidLaunchTemplateId.Malformed",
       "LaunchTemplates",
       "LaunchTemplateIds",
       {{"launch-template-name", "LaunchTemplateName"}, {"create-time", "CreateTime"}}},
      {"key_pairs",
       "key-pair",
       "key-",
       "InvalidKeyPair.NotFound",
       "InvalidKeyPair.Format",
       "KeyPairs",
       "KeyPairIds",
       {{"key-pair-id", "KeyPairId"}, {"key-name", "KeyName"}, {"fingerprint", "KeyFingerprint"}}},
      {"iam_instance_profile_associations",
       "",
       "iip-assoc-",
       "InvalidAssociationID.NotFound",
       "InvalidAssociationID.Malformed",
       "IamInstanceProfileAssociations",
       "AssociationIds",
       {{"instance-id", "InstanceId"}, {"state", "State"}}},
      {"addresses",
       "elastic-ip",
       "eipalloc-",
       "InvalidAllocationID.NotFound",
       "InvalidAllocationID.Malformed",
       "Addresses",
       "AllocationIds",
       {{"allocation-id", "AllocationId"},
        {"association-id", "AssociationId"},
        {"instance-id", "InstanceId"},
        {"public-ip", "PublicIp"},
        {"network-interface-id", "NetworkInterfaceId"},
        {"private-ip-address", "PrivateIpAddress"},
        {"domain", "Domain"}}},
      {"flow_logs",
       "vpc-flow-log",
       "fl-",
       "InvalidFlowLogId.NotFound",
       "InvalidFlowLogId.Malformed",
       "FlowLogs",
       "FlowLogIds",
       {{"resource-id", "ResourceId"},
        {"flow-log-id", "FlowLogId"},
        {"traffic-type", "TrafficType"},
        {"log-destination-type", "LogDestinationType"}}},
      {"route_tables",
       "route-table",
       "rtb-",
       "InvalidRouteTableID.NotFound",
       "InvalidRouteTableID.Malformed",
       "RouteTables",
       "RouteTableIds",
       {{"route-table-id", "RouteTableId"},
        {"vpc-id", "VpcId"},
        {"association.subnet-id", "Associations.SubnetId"},
        {"association.main", "Associations.Main"}}},
      {"network_acls",
       "network-acl",
       "acl-",
       "InvalidNetworkAclID.NotFound",
       "InvalidNetworkAclId.Malformed",
       "NetworkAcls",
       "NetworkAclIds",
       {{"network-acl-id", "NetworkAclId"}, {"vpc-id", "VpcId"}, {"association.subnet-id", "Associations.SubnetId"}, {"default", "IsDefault"}}},
      {"instance_types",
       "",
       "",
       "InvalidInstanceType",
       "InvalidInstanceType",
       "InstanceTypes",
       "InstanceTypes",
       {{"instance-type", "InstanceType"},
        {"hypervisor", "Hypervisor"},
        {"processor-info.supported-architecture", "ProcessorInfo.SupportedArchitectures"},
        {"current-generation", "CurrentGeneration"},
        {"bare-metal", "BareMetal"},
        {"vcpu-info.default-vcpus", "VCpuInfo.DefaultVCpus"}}},
  };
}

}  // namespace

const std::vector<ResourceKind>& resource_kinds() {
  static const std::vector<ResourceKind> kKinds = make_kinds();
  return kKinds;
}

const ResourceKind& kind_of(const std::string& table) {
  for (const ResourceKind& kind : resource_kinds()) {
    if (kind.table == table) return kind;
  }
  throw std::out_of_range("no kind of object is called " + table);
}

const ResourceKind* kind_of_id(const std::string& id) {
  const auto& kinds = resource_kinds();
  const auto found =
      std::find_if(kinds.begin(), kinds.end(), [&](const ResourceKind& kind) { return !kind.prefix.empty() && id.starts_with(kind.prefix); });
  return found == kinds.end() ? nullptr : &*found;
}

ApiError malformed(const ResourceKind& kind, const std::string& id) {
  return {kind.malformed, "Invalid id: \"" + id + "\" (expecting \"" + kind.prefix + "...\")"};
}

ApiError not_found(const ResourceKind& kind, const std::string& id) {
  const std::string name = kind.type.empty() ? kind.table : kind.type;
  return {kind.not_found, "The " + name + (kind.table == "instances" ? " ID" : "") + " '" + id + "' does not exist"};
}

}  // namespace icelab
