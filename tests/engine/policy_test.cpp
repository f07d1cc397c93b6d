#include "engine/policy.h"

#include <gtest/gtest.h>
#include <set>

#include "engine/command_calls.h"

namespace icecore::engine {
namespace {

std::set<std::string> bound_actions(const OrderedJson& policy) {
  std::set<std::string> actions;
  for (const auto& statement : policy["Statement"])
    if (statement.contains("Condition"))
      for (const auto& action : statement["Action"]) actions.insert(action.get<std::string>());
  return actions;
}

TEST(Policy, WhatChangesTheAccountIsBoundToTheCase) {
  const auto policy = policy_document({{}, "", true});
  ASSERT_TRUE(policy);
  const auto bound = bound_actions(*policy);
  for (const CommandCalls& command : command_calls())
    for (const aws::PlannedCall& call : command.calls)
      // Objects carry no tag of the case: the reader has to name the bucket.
      EXPECT_TRUE(!call.operation->mutating || call.operation->service == "s3" || bound.contains(std::string(call.operation->iam_action)))
          << call.operation->iam_action;
}

TEST(Policy, FitsIntoAManagedPolicyAndHasNoWildcardAction) {
  for (const bool kms : {false, true}) {
    const auto policy = policy_document({{}, "", kms});
    ASSERT_TRUE(policy);
    EXPECT_TRUE(kms || policy->dump().size() < 6144U) << "IAM's limit of a managed policy";
    for (const auto& statement : (*policy)["Statement"])
      for (const auto& action : statement["Action"]) EXPECT_EQ(action.get<std::string>().find('*'), std::string::npos);
  }
}

TEST(Policy, NothingDeletesASnapshotOrAKey) {
  const auto policy = policy_document({{}, "", true});
  ASSERT_TRUE(policy);
  const std::string text = policy->dump();
  for (const char* action : {"DeleteSnapshot", "ScheduleKeyDeletion", "UnlockSnapshot", "DisableKey"})
    EXPECT_EQ(text.find(action), std::string::npos) << action;
}

std::set<std::string> resources_of(const OrderedJson& policy, const std::string& wanted) {
  std::set<std::string> resources;
  for (const auto& statement : policy["Statement"])
    for (const auto& action : statement["Action"])
      if (action == wanted) {
        if (statement["Resource"].is_string()) resources.insert(statement["Resource"].get<std::string>());
        if (statement["Resource"].is_array()) resources.merge(statement["Resource"].get<std::set<std::string>>());
      }
  return resources;
}

TEST(Policy, BaselinesAndParentsReadSnapshotsAndNothingElse) {
  const std::set<std::string> snapshots = {"arn:aws:ec2:*::snapshot/*"};
  const auto baseline = policy_document({{"acquire baseline"}, "", false});
  const auto parent = policy_document({{"upload parent"}, "", false});
  ASSERT_TRUE(baseline && parent);
  EXPECT_EQ(resources_of(*baseline, "ebs:ListChangedBlocks"), snapshots);
  EXPECT_EQ(resources_of(*parent, "ebs:ListSnapshotBlocks"), snapshots);
}

TEST(Policy, KeysAreForThoseWhoAskForThem) {
  for (const bool kms : {false, true}) {
    const auto upload = policy_document({{"upload"}, "", kms});
    const auto share = policy_document({{"share copy"}, "", kms});
    ASSERT_TRUE(upload && share);
    EXPECT_EQ(resources_of(*upload, "kms:GenerateDataKeyWithoutPlaintext").empty(), !kms);
    EXPECT_EQ(resources_of(*share, "kms:CreateKey").empty(), !kms);
  }
}

TEST(Policy, OneCaseOnly) {
  const auto policy = policy_document({{"workstation down"}, "case-x", false});
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->dump().find("case-*"), std::string::npos);
  EXPECT_NE(policy->dump().find("case-x"), std::string::npos);
}

TEST(Policy, AnUnknownCommandIsNamed) {
  const auto policy = policy_document({{"fly"}, "", false});
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().code, Code::kInvalidArgument);
  EXPECT_NE(policy.error().message.find("'workstation up'"), std::string::npos);
}

}  // namespace
}  // namespace icecore::engine
