#include "engine/command_calls.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstdlib>

#include "core/log.h"
#include "core/text.h"

namespace icecore::engine {
namespace {

using Calls = std::vector<aws::PlannedCall>;

aws::PlannedCall ec2(std::string_view name, std::uint64_t count, std::string purpose) {
  return {&aws::operation("ec2", name), count, std::move(purpose)};
}
aws::PlannedCall of(std::string_view service, std::string_view name, std::uint64_t count, std::string purpose) {
  return {&aws::operation(service, name), count, std::move(purpose)};
}
aws::PlannedCall who() { return of("sts", "GetCallerIdentity", 1, "who we are"); }

void add(Calls& calls, const Calls& more) { calls.insert(calls.end(), more.begin(), more.end()); }

// In the order of collect_metadata.cpp; the attribute and lookup counts are of a usual instance.
Calls collect_calls() {
  const std::string known = "what AWS knows of the instance";
  return {who(),
          ec2("DescribeInstances", 1, known),
          ec2("GetConsoleOutput", 2, known),
          ec2("GetConsoleScreenshot", 1, known),
          ec2("DescribeInstanceAttribute", 12, known),
          ec2("DescribeVolumes", 1, known),
          ec2("DescribeSnapshots", 4, known),
          ec2("DescribeNetworkInterfaces", 1, known),
          ec2("DescribeAddresses", 1, known),
          ec2("DescribeSecurityGroups", 1, known),
          ec2("DescribeSecurityGroupRules", 1, known),
          ec2("DescribeSubnets", 1, known),
          ec2("DescribeVpcs", 1, known),
          ec2("DescribeImages", 1, known),
          ec2("DescribeKeyPairs", 1, known),
          ec2("DescribeIamInstanceProfileAssociations", 1, known),
          ec2("DescribeLaunchTemplates", 1, known),
          ec2("DescribeLaunchTemplateVersions", 1, known),
          ec2("DescribeInstanceTypes", 1, known),
          ec2("DescribeInstanceStatus", 1, known),
          ec2("DescribeInstanceCreditSpecifications", 1, known),
          ec2("DescribeTags", 1, known),
          of("cloudtrail", "LookupEvents", 20, "what was done, by whom (2 a second)"),
          of("cloudtrail", "DescribeTrails", 1, "is anything logging"),
          of("cloudtrail", "GetTrailStatus", 1, "is anything logging"),
          ec2("CreateSnapshots", 1, "the evidence, all volumes at one moment")};
}

Calls volume_calls() {
  return {who(), ec2("DescribeVolumes", 1, "the volume"), ec2("DescribeSnapshots", 3, "the snapshot and its state"),
          ec2("CreateSnapshot", 1, "the evidence")};
}

Calls read_calls() {
  return {of("ebs", "ListSnapshotBlocks", 4, "which blocks are written"), of("ebs", "GetSnapshotBlock", 500, "the blocks that are read")};
}

Calls adopt_calls() { return {who(), ec2("DescribeSnapshots", 3, "the snapshot and its state")}; }

Calls up_calls() {
  return {who(),
          ec2("DescribeInstances", 6, "is there a workstation; is it running"),
          of("ssm", "GetParameter", 1, "the image's id"),
          ec2("DescribeImages", 1, "the image"),
          ec2("DescribeInstanceTypes", 1, "does the type fit the image"),
          ec2("DescribeInstanceTypeOfferings", 1, "which zones offer the type"),
          ec2("DescribeSubnets", 1, "where to launch"),
          ec2("DescribeSecurityGroups", 1, "is there a group of this case"),
          ec2("CreateSecurityGroup", 1, "a group of its own, without inbound"),
          ec2("RevokeSecurityGroupEgress", 1, "outbound: not everything"),
          ec2("AuthorizeSecurityGroupEgress", 2, "outbound: what was chosen"),
          of("iam", "GetRole", 1, "is there a role of this case"),
          of("iam", "CreateRole", 1, "a role that may speak to Systems Manager"),
          of("iam", "AttachRolePolicy", 1, "AmazonSSMManagedInstanceCore"),
          of("iam", "GetInstanceProfile", 1, "is there a profile of this case"),
          of("iam", "CreateInstanceProfile", 1, "the profile that carries the role"),
          of("iam", "AddRoleToInstanceProfile", 1, "the profile that carries the role"),
          ec2("RunInstances", 1, "the workstation"),
          of("ssm", "DescribeInstanceInformation", 6, "can it be worked on")};
}

Calls key_calls() {
  return {ec2("DescribeKeyPairs", 1, "is there a key of this case"), ec2("ImportKeyPair", 1, "the public key that was given"),
          ec2("AuthorizeSecurityGroupIngress", 1, "SSH from the one CIDR that was named")};
}

Calls script_calls() {
  return {of("ssm", "SendCommand", 1, "mount, by a script on the workstation"), of("ssm", "GetCommandInvocation", 6, "how the script ended")};
}

Calls attach_calls() {
  Calls calls = {who(),
                 ec2("DescribeInstances", 2, "the workstation, its zone and its devices"),
                 ec2("DescribeSnapshots", 1, "are the snapshots complete"),
                 ec2("DescribeVolumes", 8, "copies that are there; until they are attached"),
                 ec2("CreateVolume", 2, "a copy of each snapshot in the workstation's zone"),
                 ec2("AttachVolume", 2, "under a free device name")};
  add(calls, script_calls());
  return calls;
}

Calls reset_calls() {
  Calls calls = attach_calls();
  add(calls, {ec2("DetachVolume", 2, "the messed-up copies"), ec2("DeleteVolume", 2, "the messed-up copies")});
  return calls;
}

Calls down_calls() {
  return {who(),
          ec2("DescribeInstances", 4, "the workstation"),
          ec2("DescribeVolumes", 3, "the copies"),
          ec2("DescribeSecurityGroups", 1, "the group"),
          ec2("TerminateInstances", 1, "the workstation"),
          ec2("DeleteVolume", 2, "the copies"),
          ec2("DeleteSecurityGroup", 1, "the group"),
          of("iam", "GetInstanceProfile", 1, "the profile"),
          of("iam", "RemoveRoleFromInstanceProfile", 1, "the profile"),
          of("iam", "DeleteInstanceProfile", 1, "the profile"),
          of("iam", "GetRole", 1, "the role"),
          of("iam", "DetachRolePolicy", 1, "the role"),
          of("iam", "DeleteRole", 1, "the role")};
}

Calls down_key_calls() { return {ec2("DeleteKeyPair", 1, "the key")}; }

Calls status_calls() {
  return {who(), ec2("DescribeInstances", 1, "the workstation"), ec2("DescribeVolumes", 1, "the copies"),
          ec2("DescribeSecurityGroups", 1, "the group")};
}

Calls sum(std::initializer_list<Calls> parts) {
  Calls calls;
  for (const Calls& part : parts) add(calls, part);
  return calls;
}

Calls archive_calls() {
  return {of("s3", "GetObjectLockConfiguration", 1, "whether the bucket has Object Lock"),
          of("s3", "HeadObject", 100, "look for each object, and read each back"),
          of("s3", "PutObject", 50, "files below 16 MiB"),
          of("s3", "PutObjectRetention", 1, "what is there is kept longer"),
          of("s3", "ListMultipartUploads", 3, "what a killed run left"),
          of("s3", "CreateMultipartUpload", 2, "larger files and images"),
          of("s3", "ListParts", 2, "what a killed run sent"),
          of("s3", "UploadPart", 500, "larger files and images"),
          of("s3", "CompleteMultipartUpload", 2, "join the parts"),
          of("s3", "AbortMultipartUpload", 1, "what no run will go on with")};
}

// Only where a copy is encrypted; `icecore policy --kms` has the rights.
Calls copy_key_calls() {
  return {of("kms", "DescribeKey", 2, "whose the key is, and whether there is one of this case"),
          of("kms", "CreateKey", 1, "a customer key for the copies"), of("kms", "CreateAlias", 1, "by which the case finds it again")};
}

std::vector<CommandCalls> all() {
  const Calls on_snapshot = sum({adopt_calls(), read_calls()});
  const Calls copy = {who(), ec2("DescribeSnapshots", 4, "the snapshot, its owner and key; the copy's state"),
                      ec2("CopySnapshot", 1, "a copy that belongs to this account")};
  return {
      {"collect", "an instance (i-…)", collect_calls()},
      {"collect volume", "a volume (vol-…)", volume_calls()},
      {"collect snapshot", "a snapshot of this account (snap-…)", adopt_calls()},
      {"collect copy", "a snapshot that is shared, public or in another region (snap-…)", copy},
      {"collect copy key", "what an encrypted copy adds", copy_key_calls()},
      {"investigate", "collect and triage", sum({collect_calls(), read_calls()})},
      {"triage", "findings from a snapshot", on_snapshot},
      {"acquire baseline", "only the blocks that differ from another image (--baseline)",
       sum({on_snapshot, {of("ebs", "ListChangedBlocks", 2, "which blocks differ"), ec2("DescribeVolumes", 2, "what the volumes were made from")}})},
      {"timeline", "timeline of a snapshot", on_snapshot},
      {"mount", "a snapshot as a folder", on_snapshot},
      {"export", "a snapshot as an image file (--fetch)", on_snapshot},
      {"recover", "deleted files of a snapshot", on_snapshot},
      {"upload",
       "an image file becomes a snapshot",
       {who(), of("ebs", "StartSnapshot", 1, "the new snapshot"), of("ebs", "PutSnapshotBlock", 500, "its blocks"),
        of("ebs", "CompleteSnapshot", 1, "the new snapshot"), ec2("DescribeSnapshots", 2, "until it is completed")}},
      {"upload parent", "what --parent adds", {of("ebs", "ListSnapshotBlocks", 4, "the parent's blocks")}},
      {"archive", "a case in an S3 bucket", archive_calls()},
      {"acquire", "the complete image", on_snapshot},
      {"ls", "list a snapshot's files", on_snapshot},
      {"cat", "print a snapshot's file", on_snapshot},
      {"stat", "a snapshot's file in detail", on_snapshot},
      {"extract", "copy files out of a snapshot", on_snapshot},
      {"workstation up", "launch the workstation, reached through Systems Manager", up_calls()},
      {"workstation up key", "what --public-key and --inbound add", key_calls()},
      {"workstation attach", "copies of the evidence on the workstation", attach_calls()},
      {"workstation reset", "fresh copies", reset_calls()},
      {"workstation status", "what exists and what it costs", status_calls()},
      {"workstation down", "take everything down again", down_calls()},
      {"workstation down key", "what an imported key adds", down_key_calls()},
      {"cleanup", "remove what the case made, but the evidence", sum({down_calls(), status_calls()})},
      {"share",
       "let another account use the evidence snapshots",
       {who(), ec2("DescribeSnapshots", 1, "the evidence"), ec2("ModifySnapshotAttribute", 2, "the other account may use it")}},
      {"share copy", "what sharing adds where the default key encrypts the evidence", sum({copy, copy_key_calls()})},
      {"lock", "lock the evidence snapshots (share --lock, collect --lock)", {who(), ec2("LockSnapshot", 2, "nobody deletes it before its time")}}};
}

}  // namespace

std::span<const CommandCalls> command_calls() {
  static const std::vector<CommandCalls> kCommands = all();
  return kCommands;
}

Result<const CommandCalls*> find_command_calls(std::string_view command) {
  std::string names;
  for (const CommandCalls& one : command_calls()) {
    if (one.command == command) return &one;
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", one.command);
  }
  return fail(Code::kInvalidArgument, fmt::format("there is no command '{}' that asks AWS; there are {}", printable(command), names));
}

const std::vector<aws::PlannedCall>& calls_of(std::string_view command) {
  const auto found = find_command_calls(command);
  if (!found) {
    log_warning("bug: a command is not in the table of calls");
    std::abort();
  }
  return (*found)->calls;
}

}  // namespace icecore::engine
