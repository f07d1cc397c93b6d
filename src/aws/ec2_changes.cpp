// Ec2's calls that change the account.
#include <fmt/format.h>

#include "aws/ec2.h"
#include "aws/xml.h"
#include "core/hash.h"

namespace icecore::aws {
namespace {

constexpr std::size_t kClientTokenBytes = 64;

std::string_view boolean(bool value) { return value ? "true" : "false"; }

/// A token makes the call repeatable, which the retry rule relies on; without one a lost answer could mean two volumes.
Result<void> check_client_token(std::string_view token) {
  if (token.empty() || token.size() > kClientTokenBytes) {
    return fail(Code::kInvalidArgument, "a ClientToken of 1 to 64 characters is required, so that a lost answer does not make a second resource");
  }
  return {};
}

/// The typed item under `root` itself.
template <typename T>
CallResult<Reply<T>> item_reply(CallResult<Reply<std::string>> reply, std::string_view action) {
  if (!reply) return CallFailure(std::move(reply).error());
  Reply<T> typed{{}, std::move(reply->body), std::move(reply->request_id)};
  if (typed.body.empty()) return typed;  // a dry run
  ICECORE_CALL(const XmlReply xml, parse_xml(typed.body, action));
  read_item(xml.root, typed.value);
  return typed;
}

CallResult<Reply<std::string>> text_reply(CallResult<Reply<std::string>> reply, std::string_view action, const char* element) {
  if (!reply) return CallFailure(std::move(reply).error());
  reply->value.clear();
  if (reply->body.empty()) return reply;
  ICECORE_CALL(const XmlReply xml, parse_xml(reply->body, action));
  reply->value = child_text(xml.root, element);
  return reply;
}

}  // namespace

CallResult<Reply<std::vector<Snapshot>>> Ec2::create_snapshots(const CreateSnapshotsRequest& request) {
  Parameters parameters;
  parameters.set("InstanceSpecification.InstanceId", request.instance_id);
  if (request.exclude_boot_volume) parameters.set("InstanceSpecification.ExcludeBootVolume", "true");
  parameters.list("InstanceSpecification.ExcludeDataVolumeId", request.exclude_volumes);
  if (!request.description.empty()) parameters.set("Description", request.description);
  parameters.tag_specification("snapshot", request.tags);
  ICECORE_CALL(auto reply, call("CreateSnapshots", parameters, request.dry_run));
  Reply<std::vector<Snapshot>> made{{}, std::move(reply.body), std::move(reply.request_id)};
  if (made.body.empty()) return made;
  ICECORE_CALL(const XmlReply xml, parse_xml(made.body, "CreateSnapshots"));
  for (const pugi::xml_node& item : xml.root.child("snapshotSet").children("item")) read_item(item, made.value.emplace_back());
  return made;
}

CallResult<Reply<Snapshot>> Ec2::create_snapshot(const std::string& volume, const std::string& description, const Tags& tags, bool dry_run) {
  Parameters parameters;
  parameters.set("VolumeId", volume);
  if (!description.empty()) parameters.set("Description", description);
  parameters.tag_specification("snapshot", tags);
  return item_reply<Snapshot>(call("CreateSnapshot", parameters, dry_run), "CreateSnapshot");
}

CallResult<Reply<std::string>> Ec2::copy_snapshot(const CopySnapshotRequest& request) {
  Parameters parameters;
  parameters.set("SourceRegion", request.source_region).set("SourceSnapshotId", request.source_snapshot);
  if (!request.description.empty()) parameters.set("Description", request.description);
  if (request.encrypted) parameters.set("Encrypted", "true");
  if (!request.kms_key_id.empty()) parameters.set("KmsKeyId", request.kms_key_id);
  parameters.tag_specification("snapshot", request.tags);
  return text_reply(call("CopySnapshot", parameters, request.dry_run), "CopySnapshot", "snapshotId");
}

CallResult<Reply<std::string>> Ec2::delete_snapshot(const std::string& snapshot, bool dry_run) {
  return call("DeleteSnapshot", Parameters().set("SnapshotId", snapshot), dry_run);
}

CallResult<Reply<std::string>> Ec2::create_tags(const std::vector<std::string>& resources, const Tags& tags, bool dry_run) {
  return call("CreateTags", Parameters().list("ResourceId", resources).tags("Tag", tags), dry_run);
}

CallResult<Reply<Volume>> Ec2::create_volume(const CreateVolumeRequest& request) {
  ICECORE_CHECK(check_client_token(request.client_token));
  Parameters parameters;
  parameters.set("AvailabilityZone", request.availability_zone).set("VolumeType", request.volume_type).set("ClientToken", request.client_token);
  if (!request.snapshot_id.empty()) parameters.set("SnapshotId", request.snapshot_id);
  if (request.size_gib) parameters.set("Size", std::to_string(*request.size_gib));
  parameters.tag_specification("volume", request.tags);
  return item_reply<Volume>(call("CreateVolume", parameters, request.dry_run), "CreateVolume");
}

CallResult<Reply<std::string>> Ec2::delete_volume(const std::string& volume, bool dry_run) {
  return call("DeleteVolume", Parameters().set("VolumeId", volume), dry_run);
}

CallResult<Reply<VolumeAttachment>> Ec2::attach_volume(const std::string& volume, const std::string& instance, const std::string& device,
                                                       bool dry_run) {
  const Parameters parameters = Parameters().set("VolumeId", volume).set("InstanceId", instance).set("Device", device);
  return item_reply<VolumeAttachment>(call("AttachVolume", parameters, dry_run), "AttachVolume");
}

CallResult<Reply<VolumeAttachment>> Ec2::detach_volume(const std::string& volume, bool force, bool dry_run) {
  const Parameters parameters = Parameters().set("VolumeId", volume).set("Force", std::string(boolean(force)));
  return item_reply<VolumeAttachment>(call("DetachVolume", parameters, dry_run), "DetachVolume");
}

CallResult<Reply<std::string>> Ec2::modify_snapshot_permission(const std::string& snapshot, bool add, const std::vector<std::string>& accounts,
                                                               bool dry_run) {
  Parameters parameters;
  parameters.set("SnapshotId", snapshot).set("Attribute", "createVolumePermission").set("OperationType", add ? "add" : "remove");
  const bool everyone = accounts.size() == 1 && accounts.front() == "all";
  parameters.list(everyone ? "UserGroup" : "UserId", accounts);
  return call("ModifySnapshotAttribute", parameters, dry_run);
}

CallResult<Reply<std::string>> Ec2::lock_snapshot(const std::string& snapshot, const std::string& mode, int duration_days, bool dry_run) {
  const Parameters parameters = Parameters().set("SnapshotId", snapshot).set("LockMode", mode).set("LockDuration", std::to_string(duration_days));
  return call("LockSnapshot", parameters, dry_run);
}

CallResult<Reply<Instance>> Ec2::run_instances(const Parameters& parameters, bool dry_run) {
  if (!parameters.has("ClientToken")) ICECORE_CHECK(check_client_token(""));
  ICECORE_CALL(auto reply, call("RunInstances", parameters, dry_run));
  Reply<Instance> made{{}, std::move(reply.body), std::move(reply.request_id)};
  if (made.body.empty()) return made;
  ICECORE_CALL(const XmlReply xml, parse_xml(made.body, "RunInstances"));
  read_item(xml.root.child("instancesSet").child("item"), made.value);
  made.value.owner_id = child_text(xml.root, "ownerId");
  made.value.reservation_id = child_text(xml.root, "reservationId");
  return made;
}

CallResult<Reply<std::string>> Ec2::terminate_instances(const std::vector<std::string>& instances, bool dry_run) {
  return call("TerminateInstances", Parameters().list("InstanceId", instances), dry_run);
}

CallResult<Reply<std::string>> Ec2::create_security_group(const std::string& name, const std::string& description, const std::string& vpc,
                                                          const Tags& tags, bool dry_run) {
  Parameters parameters;
  parameters.set("GroupName", name).set("GroupDescription", description).set("VpcId", vpc).tag_specification("security-group", tags);
  return text_reply(call("CreateSecurityGroup", parameters, dry_run), "CreateSecurityGroup", "groupId");
}

CallResult<Reply<std::string>> Ec2::delete_security_group(const std::string& group, bool dry_run) {
  return call("DeleteSecurityGroup", Parameters().set("GroupId", group), dry_run);
}

CallResult<Reply<std::string>> Ec2::authorize_ingress(const std::string& group, int port, const std::string& cidr, const std::string& description,
                                                      bool dry_run) {
  // The two families have lists of their own, and different names for the same member (IpRange, Ipv6Range).
  const bool v6 = cidr.find(':') != std::string::npos;
  const std::string range = v6 ? "IpPermissions.1.Ipv6Ranges.1." : "IpPermissions.1.IpRanges.1.";
  Parameters parameters;
  parameters.set("GroupId", group)
      .set("IpPermissions.1.IpProtocol", "tcp")
      .set("IpPermissions.1.FromPort", std::to_string(port))
      .set("IpPermissions.1.ToPort", std::to_string(port))
      .set(range + (v6 ? "CidrIpv6" : "CidrIp"), cidr);
  if (!description.empty()) parameters.set(range + "Description", description);
  return call("AuthorizeSecurityGroupIngress", parameters, dry_run);
}

namespace {

Parameters egress_rule(const std::string& group, int port, const std::string& cidr) {
  Parameters parameters;
  parameters.set("GroupId", group).set("IpPermissions.1.IpProtocol", port == 0 ? "-1" : "tcp");
  if (port != 0) parameters.set("IpPermissions.1.FromPort", std::to_string(port)).set("IpPermissions.1.ToPort", std::to_string(port));
  parameters.set("IpPermissions.1.IpRanges.1.CidrIp", cidr);
  return parameters;
}

CallResult<Reply<std::string>> unless(CallResult<Reply<std::string>> reply, std::string_view fine) {
  if (!reply && reply.error().aws_code == fine) return Reply<std::string>{"", "", reply.error().request_id};
  return reply;
}

}  // namespace

CallResult<Reply<std::string>> Ec2::authorize_egress(const std::string& group, int port, const std::string& cidr) {
  return unless(call("AuthorizeSecurityGroupEgress", egress_rule(group, port, cidr)), "InvalidPermission.Duplicate");
}

CallResult<Reply<std::string>> Ec2::revoke_egress(const std::string& group, int port, const std::string& cidr) {
  return unless(call("RevokeSecurityGroupEgress", egress_rule(group, port, cidr)), "InvalidPermission.NotFound");
}

CallResult<Reply<std::string>> Ec2::import_key_pair(const std::string& name, const std::string& public_key, const Tags& tags, bool dry_run) {
  Parameters parameters;
  parameters.set("KeyName", name).set("PublicKeyMaterial", to_base64(as_bytes(public_key))).tag_specification("key-pair", tags);
  return text_reply(call("ImportKeyPair", parameters, dry_run), "ImportKeyPair", "keyPairId");
}

CallResult<Reply<std::string>> Ec2::delete_key_pair(const std::string& id, bool dry_run) {
  return call("DeleteKeyPair", Parameters().set("KeyPairId", id), dry_run);
}

}  // namespace icecore::aws
