#include "aws/operations.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include "core/log.h"
#include "core/text.h"

namespace icecore::aws {
namespace {

// EBS direct prices, US East: $0.0006 per 1,000 lists, $0.003 per 1,000 gets, $0.006 per 1,000 puts (aws.amazon.com/ebs/pricing).
constexpr double kListPrice = 0.0006;
constexpr double kGetPrice = 0.003;
constexpr double kPutPrice = 0.006;

constexpr Operation ec2_read(std::string_view name, std::string_view iam_action, std::uint32_t page_size = 0) {
  return {.service = "ec2", .name = name, .iam_action = iam_action, .also_needs = {}, .bucket = "ec2.read", .page_size = page_size};
}

/// `repeatable`: sending it twice ends in the same state, or a ClientToken makes it so.
constexpr Operation ec2_write(std::string_view name, std::string_view iam_action, bool repeatable, std::string_view also_needs = {}) {
  return {.service = "ec2",
          .name = name,
          .iam_action = iam_action,
          .also_needs = also_needs,
          .bucket = "ec2.write",
          .mutating = true,
          .repeatable = repeatable};
}

constexpr Operation other_read(std::string_view service, std::string_view name, std::string_view iam_action, std::uint32_t page_size = 0) {
  return {.service = service, .name = name, .iam_action = iam_action, .also_needs = {}, .bucket = service, .page_size = page_size};
}

constexpr Operation other_write(std::string_view service, std::string_view name, std::string_view iam_action, bool repeatable,
                                std::string_view also_needs = {}) {
  return {.service = service,
          .name = name,
          .iam_action = iam_action,
          .also_needs = also_needs,
          .bucket = service,
          .mutating = true,
          .repeatable = repeatable};
}

// S3 standard, US East: $0.005 per 1,000 PUT, POST and LIST, $0.0004 per 1,000 GET and HEAD (aws.amazon.com/s3/pricing).
constexpr double kS3WritePrice = 0.005;
constexpr double kS3ReadPrice = 0.0004;

constexpr Operation s3_read(std::string_view name, std::string_view iam_action, double price, std::string_view also_needs = {}) {
  return {.service = "s3", .name = name, .iam_action = iam_action, .also_needs = also_needs, .bucket = "s3.read", .dollars_per_thousand = price};
}

constexpr Operation s3_write(std::string_view name, std::string_view iam_action, bool repeatable, double price, std::string_view also_needs = {}) {
  return {.service = "s3",
          .name = name,
          .iam_action = iam_action,
          .also_needs = also_needs,
          .bucket = "s3.write",
          .mutating = true,
          .repeatable = repeatable,
          .high_volume = name == "UploadPart",
          .dollars_per_thousand = price};
}

constexpr std::array kOperations = {
    ec2_read("DescribeInstances", "ec2:DescribeInstances", 1000),
    ec2_read("DescribeInstanceAttribute", "ec2:DescribeInstanceAttribute"),
    ec2_read("DescribeInstanceStatus", "ec2:DescribeInstanceStatus", 1000),
    ec2_read("DescribeInstanceCreditSpecifications", "ec2:DescribeInstanceCreditSpecifications", 1000),
    ec2_read("DescribeInstanceTypes", "ec2:DescribeInstanceTypes", 100),
    ec2_read("DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypeOfferings", 1000),
    ec2_read("DescribeVolumes", "ec2:DescribeVolumes", 500),
    ec2_read("DescribeVolumesModifications", "ec2:DescribeVolumesModifications", 500),
    ec2_read("DescribeSnapshots", "ec2:DescribeSnapshots", 1000),
    ec2_read("DescribeSnapshotAttribute", "ec2:DescribeSnapshotAttribute"),
    ec2_read("DescribeLockedSnapshots", "ec2:DescribeLockedSnapshots", 1000),
    ec2_read("DescribeNetworkInterfaces", "ec2:DescribeNetworkInterfaces", 1000),
    ec2_read("DescribeSecurityGroups", "ec2:DescribeSecurityGroups", 1000),
    ec2_read("DescribeSecurityGroupRules", "ec2:DescribeSecurityGroupRules", 1000),
    ec2_read("DescribeSubnets", "ec2:DescribeSubnets", 1000),
    ec2_read("DescribeVpcs", "ec2:DescribeVpcs", 1000),
    ec2_read("DescribeImages", "ec2:DescribeImages", 1000),
    ec2_read("DescribeLaunchTemplates", "ec2:DescribeLaunchTemplates", 200),
    ec2_read("DescribeLaunchTemplateVersions", "ec2:DescribeLaunchTemplateVersions", 200),
    ec2_read("DescribeKeyPairs", "ec2:DescribeKeyPairs"),
    ec2_read("DescribeIamInstanceProfileAssociations", "ec2:DescribeIamInstanceProfileAssociations", 1000),
    ec2_read("DescribeAvailabilityZones", "ec2:DescribeAvailabilityZones"),
    ec2_read("DescribeAddresses", "ec2:DescribeAddresses"),
    ec2_read("DescribeTags", "ec2:DescribeTags", 1000),
    ec2_read("GetConsoleOutput", "ec2:GetConsoleOutput"),
    ec2_read("GetConsoleScreenshot", "ec2:GetConsoleScreenshot"),
    ec2_write("CreateSnapshots", "ec2:CreateSnapshots", false, "ec2:CreateTags"),
    ec2_write("CreateSnapshot", "ec2:CreateSnapshot", false, "ec2:CreateTags"),
    ec2_write("CopySnapshot", "ec2:CopySnapshot", false, "ec2:CreateTags kms:CreateGrant kms:DescribeKey"),
    ec2_write("CreateTags", "ec2:CreateTags", true),
    ec2_write("DeleteSnapshot", "ec2:DeleteSnapshot", true),
    ec2_write("ModifySnapshotAttribute", "ec2:ModifySnapshotAttribute", true),
    ec2_write("LockSnapshot", "ec2:LockSnapshot", true),
    ec2_write("CreateVolume", "ec2:CreateVolume", true, "ec2:CreateTags kms:CreateGrant"),
    ec2_write("DeleteVolume", "ec2:DeleteVolume", true),
    ec2_write("AttachVolume", "ec2:AttachVolume", false, "kms:CreateGrant"),
    ec2_write("DetachVolume", "ec2:DetachVolume", true),
    ec2_write("RunInstances", "ec2:RunInstances", true, "ec2:CreateTags iam:PassRole"),
    ec2_write("TerminateInstances", "ec2:TerminateInstances", true),
    ec2_write("CreateSecurityGroup", "ec2:CreateSecurityGroup", false, "ec2:CreateTags"),
    ec2_write("DeleteSecurityGroup", "ec2:DeleteSecurityGroup", true),
    ec2_write("AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupIngress", false),
    // Done twice these answer InvalidPermission.Duplicate or .NotFound, and the group is the same.
    ec2_write("AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupEgress", true),
    ec2_write("RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupEgress", true),
    ec2_write("ImportKeyPair", "ec2:ImportKeyPair", false, "ec2:CreateTags"),
    ec2_write("DeleteKeyPair", "ec2:DeleteKeyPair", true),

    Operation{.service = "ebs",
              .name = "ListSnapshotBlocks",
              .iam_action = "ebs:ListSnapshotBlocks",
              .also_needs = {},
              .bucket = "ebs.list",
              .dollars_per_thousand = kListPrice},
    Operation{.service = "ebs",
              .name = "ListChangedBlocks",
              .iam_action = "ebs:ListChangedBlocks",
              .also_needs = {},
              .bucket = "ebs.list",
              .dollars_per_thousand = kListPrice},
    Operation{.service = "ebs",
              .name = "GetSnapshotBlock",
              .iam_action = "ebs:GetSnapshotBlock",
              .also_needs = "kms:Decrypt",
              .bucket = "ebs.get",
              .high_volume = true,
              .dollars_per_thousand = kGetPrice},
    Operation{.service = "ebs",
              .name = "StartSnapshot",
              .iam_action = "ebs:StartSnapshot",
              .also_needs = "ec2:CreateTags",
              .bucket = "ebs.start",
              .mutating = true},
    Operation{.service = "ebs",
              .name = "PutSnapshotBlock",
              .iam_action = "ebs:PutSnapshotBlock",
              .also_needs = "kms:GenerateDataKeyWithoutPlaintext",
              .bucket = "ebs.put",
              .mutating = true,
              .high_volume = true,
              .dollars_per_thousand = kPutPrice},
    Operation{.service = "ebs",
              .name = "CompleteSnapshot",
              .iam_action = "ebs:CompleteSnapshot",
              .also_needs = {},
              .bucket = "ebs.start",
              .mutating = true},

    // 2 calls a second per account and region (CloudTrail quotas).
    Operation{.service = "cloudtrail",
              .name = "LookupEvents",
              .iam_action = "cloudtrail:LookupEvents",
              .also_needs = {},
              .bucket = "cloudtrail.lookup",
              .page_size = 50,
              .calls_per_second = 2},
    Operation{.service = "cloudtrail", .name = "DescribeTrails", .iam_action = "cloudtrail:DescribeTrails", .also_needs = {}, .bucket = "cloudtrail"},
    Operation{.service = "cloudtrail", .name = "GetTrailStatus", .iam_action = "cloudtrail:GetTrailStatus", .also_needs = {}, .bucket = "cloudtrail"},

    s3_read("GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration", kS3ReadPrice),
    s3_read("HeadObject", "s3:GetObject", kS3ReadPrice, "s3:GetObjectRetention s3:GetObjectVersion s3:ListBucket"),
    s3_read("ListParts", "s3:ListMultipartUploadParts", kS3WritePrice),
    s3_read("ListMultipartUploads", "s3:ListBucketMultipartUploads", kS3WritePrice),
    s3_write("PutObject", "s3:PutObject", false, kS3WritePrice, "s3:PutObjectRetention kms:GenerateDataKey"),
    s3_write("PutObjectRetention", "s3:PutObjectRetention", true, kS3WritePrice),
    s3_write("CreateMultipartUpload", "s3:PutObject", false, kS3WritePrice, "s3:PutObjectRetention kms:GenerateDataKey"),
    s3_write("UploadPart", "s3:PutObject", true, kS3WritePrice, "kms:GenerateDataKey"),
    s3_write("CompleteMultipartUpload", "s3:PutObject", true, kS3WritePrice, "kms:Decrypt"),
    s3_write("AbortMultipartUpload", "s3:AbortMultipartUpload", true, 0),

    Operation{.service = "sts", .name = "GetCallerIdentity", .iam_action = {}, .also_needs = {}, .bucket = "sts"},
    Operation{.service = "sts", .name = "AssumeRole", .iam_action = "sts:AssumeRole", .also_needs = {}, .bucket = "sts"},
    Operation{.service = "sts", .name = "AssumeRoleWithWebIdentity", .iam_action = {}, .also_needs = {}, .bucket = "sts"},

    // The role through which Systems Manager reaches the forensics instance. Creating what is there answers EntityAlreadyExists.
    other_read("iam", "GetRole", "iam:GetRole"),
    other_read("iam", "GetInstanceProfile", "iam:GetInstanceProfile"),
    other_write("iam", "CreateRole", "iam:CreateRole", false, "iam:TagRole"),
    other_write("iam", "AttachRolePolicy", "iam:AttachRolePolicy", true),
    other_write("iam", "CreateInstanceProfile", "iam:CreateInstanceProfile", false, "iam:TagInstanceProfile"),
    other_write("iam", "AddRoleToInstanceProfile", "iam:AddRoleToInstanceProfile", true, "iam:PassRole"),
    other_write("iam", "RemoveRoleFromInstanceProfile", "iam:RemoveRoleFromInstanceProfile", true),
    other_write("iam", "DeleteInstanceProfile", "iam:DeleteInstanceProfile", true),
    other_write("iam", "DetachRolePolicy", "iam:DetachRolePolicy", true),
    other_write("iam", "DeleteRole", "iam:DeleteRole", true),

    other_read("ssm", "GetParameter", "ssm:GetParameter"),
    other_read("ssm", "DescribeInstanceInformation", "ssm:DescribeInstanceInformation", 50),
    other_read("ssm", "GetCommandInvocation", "ssm:GetCommandInvocation"),
    other_write("ssm", "SendCommand", "ssm:SendCommand", false),

    other_read("kms", "DescribeKey", "kms:DescribeKey"),
    other_read("kms", "ListKeys", "kms:ListKeys"),
    other_write("kms", "CreateKey", "kms:CreateKey", false, "kms:TagResource"),
    other_write("kms", "CreateAlias", "kms:CreateAlias", false),
};

}  // namespace

std::span<const Operation> operations() { return kOperations; }

const Operation* find_operation(std::string_view service, std::string_view name) {
  const auto found =
      std::find_if(kOperations.begin(), kOperations.end(), [&](const Operation& one) { return one.service == service && one.name == name; });
  return found == kOperations.end() ? nullptr : &*found;
}

const Operation& operation(std::string_view service, std::string_view name) {
  const Operation* found = find_operation(service, name);
  if (found == nullptr) {
    log_warning("bug: an AWS call is not in the table of operations");
    std::abort();
  }
  return *found;
}

double cost_dollars(const Operation& operation, std::uint64_t count) { return operation.dollars_per_thousand * static_cast<double>(count) / 1000.0; }

double cost_dollars(std::span<const PlannedCall> plan) {
  double sum = 0;
  for (const PlannedCall& call : plan) sum += cost_dollars(*call.operation, call.count);
  return sum;
}

std::vector<std::string> iam_actions(std::span<const PlannedCall> plan) {
  std::set<std::string> actions;
  for (const PlannedCall& call : plan) {
    if (!call.operation->iam_action.empty()) actions.emplace(call.operation->iam_action);
    for (const std::string_view more : split_fields(call.operation->also_needs)) actions.emplace(more);
  }
  return {actions.begin(), actions.end()};
}

}  // namespace icecore::aws
