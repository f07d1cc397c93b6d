#include "aws/xml.h"

#include <fmt/format.h>
#include <charconv>

namespace icecore::aws {
namespace {

template <typename T>
std::vector<T> read_items(const pugi::xml_node& set) {
  std::vector<T> items;
  for (const pugi::xml_node& item : set.children("item")) read_item(item, items.emplace_back());
  return items;
}

std::vector<std::string> texts_of(const pugi::xml_node& set, const char* child) {
  std::vector<std::string> texts;
  for (const pugi::xml_node& item : set.children("item")) texts.push_back(child_text(item, child));
  return texts;
}

BlockDevice read_block_device(const pugi::xml_node& item) {
  const pugi::xml_node ebs = item.child("ebs");
  return {.device_name = child_text(item, "deviceName"),
          .volume_id = child_text(ebs, "volumeId"),
          .status = child_text(ebs, "status"),
          .attach_time = child_time(ebs, "attachTime"),
          .delete_on_termination = child_flag(ebs, "deleteOnTermination")};
}

}  // namespace

Result<XmlReply> parse_xml(std::string_view body, std::string_view what) {
  XmlReply reply{std::make_unique<pugi::xml_document>(), {}};
  const pugi::xml_parse_result parsed = reply.document->load_buffer(body.data(), body.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!parsed) {
    Location where;
    where.source = what;
    where.offset = static_cast<std::uint64_t>(parsed.offset);
    return fail(Code::kCorrupt, fmt::format("the reply of {} is not valid XML: {}", what, parsed.description()), std::move(where));
  }
  reply.root = reply.document->document_element();
  if (!reply.root) return fail(Code::kCorrupt, fmt::format("the reply of {} holds no XML element", what));
  return reply;
}

std::string child_text(const pugi::xml_node& node, const char* name) { return node.child_value(name); }

bool child_flag(const pugi::xml_node& node, const char* name) { return std::string_view(node.child_value(name)) == "true"; }

std::uint64_t child_number(const pugi::xml_node& node, const char* name) {
  const std::string_view text = node.child_value(name);
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc{} ? value : 0;
}

std::optional<Timestamp> child_time(const pugi::xml_node& node, const char* name) {
  const auto time = parse_iso8601(node.child_value(name));
  if (!time) return std::nullopt;
  return *time;
}

std::string tag_value(const Tags& tags, std::string_view key) {
  for (const Tag& tag : tags) {
    if (tag.key == key) return tag.value;
  }
  return "";
}

Tags read_tags(const pugi::xml_node& tag_set) {
  Tags tags;
  for (const pugi::xml_node& item : tag_set.children("item")) tags.push_back({child_text(item, "key"), child_text(item, "value")});
  return tags;
}

void read_item(const pugi::xml_node& item, VolumeAttachment& attachment) {
  attachment.instance_id = child_text(item, "instanceId");
  attachment.device = child_text(item, "device");
  attachment.state = child_text(item, "status");
  attachment.attach_time = child_time(item, "attachTime");
  attachment.delete_on_termination = child_flag(item, "deleteOnTermination");
}

void read_item(const pugi::xml_node& item, Volume& volume) {
  volume.id = child_text(item, "volumeId");
  volume.state = child_text(item, "status");
  volume.availability_zone = child_text(item, "availabilityZone");
  volume.snapshot_id = child_text(item, "snapshotId");
  volume.volume_type = child_text(item, "volumeType");
  volume.kms_key_id = child_text(item, "kmsKeyId");
  volume.size_gib = child_number(item, "size");
  volume.encrypted = child_flag(item, "encrypted");
  volume.create_time = child_time(item, "createTime");
  volume.attachments = read_items<VolumeAttachment>(item.child("attachmentSet"));
  volume.tags = read_tags(item.child("tagSet"));
}

void read_item(const pugi::xml_node& item, Snapshot& snapshot) {
  snapshot.id = child_text(item, "snapshotId");
  snapshot.volume_id = child_text(item, "volumeId");
  // CreateSnapshots answers with SnapshotInfo, whose state is <state>; everywhere else it is <status>.
  snapshot.state = child_text(item, "status");
  if (snapshot.state.empty()) snapshot.state = child_text(item, "state");
  snapshot.state_message = child_text(item, "statusMessage");
  snapshot.progress = child_text(item, "progress");
  snapshot.owner_id = child_text(item, "ownerId");
  snapshot.owner_alias = child_text(item, "ownerAlias");
  snapshot.description = child_text(item, "description");
  snapshot.kms_key_id = child_text(item, "kmsKeyId");
  snapshot.storage_tier = child_text(item, "storageTier");
  snapshot.outpost_arn = child_text(item, "outpostArn");
  snapshot.volume_size_gib = child_number(item, "volumeSize");
  snapshot.encrypted = child_flag(item, "encrypted");
  snapshot.start_time = child_time(item, "startTime");
  snapshot.tags = read_tags(item.child("tagSet"));
}

void read_item(const pugi::xml_node& item, NetworkInterface& network_interface) {
  network_interface.id = child_text(item, "networkInterfaceId");
  network_interface.subnet_id = child_text(item, "subnetId");
  network_interface.vpc_id = child_text(item, "vpcId");
  network_interface.availability_zone = child_text(item, "availabilityZone");
  network_interface.private_ip = child_text(item, "privateIpAddress");
  network_interface.public_ip = child_text(item.child("association"), "publicIp");
  network_interface.mac_address = child_text(item, "macAddress");
  network_interface.status = child_text(item, "status");
  network_interface.instance_id = child_text(item.child("attachment"), "instanceId");
  network_interface.security_groups = texts_of(item.child("groupSet"), "groupId");
  network_interface.tags = read_tags(item.child("tagSet"));
}

void read_item(const pugi::xml_node& item, Instance& instance) {
  instance.id = child_text(item, "instanceId");
  instance.image_id = child_text(item, "imageId");
  instance.state = child_text(item.child("instanceState"), "name");
  instance.instance_type = child_text(item, "instanceType");
  instance.architecture = child_text(item, "architecture");
  instance.platform = child_text(item, "platform");
  instance.hypervisor = child_text(item, "hypervisor");
  instance.virtualization = child_text(item, "virtualizationType");
  instance.root_device_name = child_text(item, "rootDeviceName");
  instance.root_device_type = child_text(item, "rootDeviceType");
  instance.availability_zone = child_text(item.child("placement"), "availabilityZone");
  instance.subnet_id = child_text(item, "subnetId");
  instance.vpc_id = child_text(item, "vpcId");
  instance.key_name = child_text(item, "keyName");
  instance.private_ip = child_text(item, "privateIpAddress");
  instance.public_ip = child_text(item, "ipAddress");
  instance.private_dns = child_text(item, "privateDnsName");
  instance.public_dns = child_text(item, "dnsName");
  instance.instance_profile_arn = child_text(item.child("iamInstanceProfile"), "arn");
  instance.state_reason = child_text(item.child("stateReason"), "message");
  instance.lifecycle = child_text(item, "instanceLifecycle");
  instance.launch_time = child_time(item, "launchTime");
  for (const pugi::xml_node& device : item.child("blockDeviceMapping").children("item")) {
    instance.block_devices.push_back(read_block_device(device));
  }
  instance.network_interfaces = read_items<NetworkInterface>(item.child("networkInterfaceSet"));
  instance.security_groups = texts_of(item.child("groupSet"), "groupId");
  instance.tags = read_tags(item.child("tagSet"));
}

void read_item(const pugi::xml_node& item, SecurityGroup& group) {
  group.id = child_text(item, "groupId");
  group.name = child_text(item, "groupName");
  group.vpc_id = child_text(item, "vpcId");
  group.description = child_text(item, "groupDescription");
  group.owner_id = child_text(item, "ownerId");
  group.tags = read_tags(item.child("tagSet"));
}

void read_item(const pugi::xml_node& item, Subnet& subnet) {
  subnet.id = child_text(item, "subnetId");
  subnet.vpc_id = child_text(item, "vpcId");
  subnet.availability_zone = child_text(item, "availabilityZone");
  subnet.cidr = child_text(item, "cidrBlock");
  subnet.default_for_zone = child_flag(item, "defaultForAz");
  subnet.maps_public_ip = child_flag(item, "mapPublicIpOnLaunch");
  subnet.free_addresses = child_number(item, "availableIpAddressCount");
  subnet.tags = read_tags(item.child("tagSet"));
}

void read_item(const pugi::xml_node& item, Vpc& vpc) {
  vpc.id = child_text(item, "vpcId");
  vpc.cidr = child_text(item, "cidrBlock");
  vpc.state = child_text(item, "state");
  vpc.is_default = child_flag(item, "isDefault");
}

void read_item(const pugi::xml_node& item, Image& image) {
  image.id = child_text(item, "imageId");
  image.name = child_text(item, "name");
  image.state = child_text(item, "imageState");
  image.owner_id = child_text(item, "imageOwnerId");
  image.architecture = child_text(item, "architecture");
  image.platform_details = child_text(item, "platformDetails");
  image.root_device_name = child_text(item, "rootDeviceName");
  image.root_device_type = child_text(item, "rootDeviceType");
  image.description = child_text(item, "description");
  image.is_public = child_flag(item, "isPublic");
  image.creation_date = child_time(item, "creationDate");
  for (const pugi::xml_node& device : item.child("blockDeviceMapping").children("item")) {
    image.block_devices.push_back(
        {child_text(device, "deviceName"), child_text(device.child("ebs"), "snapshotId"), child_text(device, "virtualName")});
  }
  image.tags = read_tags(item.child("tagSet"));
}

void read_item(const pugi::xml_node& item, InstanceType& type) {
  type.name = child_text(item, "instanceType");
  type.hypervisor = child_text(item, "hypervisor");
  for (const pugi::xml_node& one : item.child("processorInfo").child("supportedArchitectures").children("item")) {
    type.architectures.emplace_back(one.child_value());
  }
  type.memory_mib = child_number(item.child("memoryInfo"), "sizeInMiB");
  type.virtual_cpus = child_number(item.child("vCpuInfo"), "defaultVCpus");
  type.instance_storage = child_flag(item, "instanceStorageSupported");
  type.bare_metal = child_flag(item, "bareMetal");
}

void read_item(const pugi::xml_node& item, AvailabilityZone& zone) {
  zone.name = child_text(item, "zoneName");
  zone.id = child_text(item, "zoneId");
  zone.state = child_text(item, "zoneState");
  zone.type = child_text(item, "zoneType");
}

void read_item(const pugi::xml_node& item, KeyPair& pair) {
  pair.id = child_text(item, "keyPairId");
  pair.name = child_text(item, "keyName");
  pair.tags = read_tags(item.child("tagSet"));
}

}  // namespace icecore::aws
