// What the program reads out of EC2's replies. Everything else stays in the verbatim bodies. Text is as sent (hostile for printing, like all text
// from outside); absent members are empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/parameters.h"
#include "core/timestamp.h"

namespace icecore::aws {

using Tags = std::vector<Tag>;

/// The value of a tag, or empty.
std::string tag_value(const Tags& tags, std::string_view key);

struct BlockDevice {
  std::string device_name;  ///< "/dev/xvda", as asked for
  std::string volume_id, status;
  std::optional<Timestamp> attach_time;
  bool delete_on_termination = false;
};

struct NetworkInterface {
  std::string id, subnet_id, vpc_id, availability_zone, private_ip, public_ip, mac_address, status, instance_id;
  std::vector<std::string> security_groups;
  Tags tags;
};

struct Instance {
  std::string id, image_id, state, instance_type, architecture, platform, hypervisor, virtualization, root_device_name, root_device_type,
      availability_zone, subnet_id, vpc_id, key_name, private_ip, public_ip, private_dns, public_dns, instance_profile_arn, owner_id, reservation_id,
      state_reason, lifecycle;
  std::optional<Timestamp> launch_time;
  std::vector<BlockDevice> block_devices;  ///< EBS only; instance store does not show here
  std::vector<NetworkInterface> network_interfaces;
  std::vector<std::string> security_groups;
  Tags tags;
};

struct VolumeAttachment {
  std::string instance_id, device, state;
  std::optional<Timestamp> attach_time;
  bool delete_on_termination = false;
};

struct Volume {
  std::string id, state, availability_zone, snapshot_id, volume_type, kms_key_id;
  std::uint64_t size_gib = 0;
  bool encrypted = false;
  std::optional<Timestamp> create_time;
  std::vector<VolumeAttachment> attachments;
  Tags tags;
};

struct Snapshot {
  std::string id, volume_id, state, state_message, progress, owner_id, owner_alias, description, kms_key_id, storage_tier, outpost_arn;
  std::uint64_t volume_size_gib = 0;
  bool encrypted = false;
  std::optional<Timestamp> start_time;
  Tags tags;
};

struct Image {
  std::string id, name, state, owner_id, architecture, platform_details, root_device_name, root_device_type, description;
  bool is_public = false;
  std::optional<Timestamp> creation_date;
  struct Device {
    std::string device_name, snapshot_id, virtual_name;
  };
  std::vector<Device> block_devices;
  Tags tags;
};

struct SecurityGroup {
  std::string id, name, vpc_id, description, owner_id;
  Tags tags;
};

struct Subnet {
  std::string id, vpc_id, availability_zone, cidr;
  bool default_for_zone = false, maps_public_ip = false;
  std::uint64_t free_addresses = 0;
  Tags tags;
};

struct Vpc {
  std::string id, cidr, state;
  bool is_default = false;
};

struct AvailabilityZone {
  std::string name, id, state, type;
};

struct InstanceType {
  std::string name, hypervisor;
  std::vector<std::string> architectures;
  std::uint64_t memory_mib = 0, virtual_cpus = 0;
  bool instance_storage = false, bare_metal = false;
};

struct KeyPair {
  std::string id, name;
  Tags tags;
};

struct ConsoleOutput {
  std::string text;  ///< decoded, raw bytes
  std::optional<Timestamp> time;
};

/// The items of all pages, and the pages as they came.
template <typename T>
struct Listing {
  std::vector<T> items;
  std::vector<std::string> pages;
};

/// One typed reply and the body that it was read from.
template <typename T>
struct Reply {
  T value{};
  std::string body;
  std::string request_id;
};

}  // namespace icecore::aws
