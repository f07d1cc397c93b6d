#include "auth/policy.h"

#include <gtest/gtest.h>

#include "auth/credentials.h"

namespace icelab {
namespace {

using nlohmann::json;

const char* const kSnapshot = "arn:aws:ec2:us-west-2::snapshot/snap-1";

json allow(const json& action, const json& resource = "*", const json& condition = nullptr) {
  json statement = {{"Effect", "Allow"}, {"Action", action}, {"Resource", resource}};
  if (!condition.is_null()) statement["Condition"] = condition;
  return {{"Statement", json::array({statement})}};
}

Decision decide(const std::vector<json>& policies, const std::string& action, std::map<std::string, std::vector<std::string>> context = {}) {
  return evaluate(policies, {action, kSnapshot, std::move(context)});
}

TEST(Policy, WhatNothingAllowsIsDenied) { EXPECT_EQ(decide({allow("ec2:DescribeInstances")}, "ec2:DeleteSnapshot"), Decision::implicitly_denied); }

TEST(Policy, ActionsMatchByWildcardInAnyCase) {
  EXPECT_EQ(decide({allow("EC2:describe*")}, "ec2:DescribeInstances"), Decision::allowed);
  EXPECT_EQ(decide({allow("ec2:Describe?nstances")}, "ec2:DescribeInstances"), Decision::allowed);
  EXPECT_EQ(decide({allow("ec2:Describe")}, "ec2:DescribeInstances"), Decision::implicitly_denied);
}

TEST(Policy, DenyBeatsAllowInAnyOrder) {
  json deny = allow("ec2:DeleteSnapshot");
  deny["Statement"][0]["Effect"] = "Deny";
  EXPECT_EQ(decide({allow("*"), deny}, "ec2:DeleteSnapshot"), Decision::explicitly_denied);
  EXPECT_EQ(decide({deny, allow("*")}, "ec2:DeleteSnapshot"), Decision::explicitly_denied);
  EXPECT_EQ(decide({deny, allow("*")}, "ec2:CreateSnapshot"), Decision::allowed);
}

TEST(Policy, ResourcesMatchByWildcardWithCase) {
  EXPECT_EQ(decide({allow("ec2:*", "arn:aws:ec2:*::snapshot/*")}, "ec2:DeleteSnapshot"), Decision::allowed);
  EXPECT_EQ(decide({allow("ec2:*", "arn:aws:ec2:*:*:volume/*")}, "ec2:DeleteSnapshot"), Decision::implicitly_denied);
  EXPECT_EQ(decide({allow("ec2:*", "arn:aws:ec2:*::SNAPSHOT/*")}, "ec2:DeleteSnapshot"), Decision::implicitly_denied);
}

TEST(Policy, NotActionAndNotResourceTurnThemRound) {
  const json policy = {{"Statement", {{"Effect", "Allow"}, {"NotAction", "iam:*"}, {"NotResource", "arn:aws:ec2:*:*:volume/*"}}}};
  EXPECT_EQ(decide({policy}, "ec2:DeleteSnapshot"), Decision::allowed);
  EXPECT_EQ(decide({policy}, "iam:GetRole"), Decision::implicitly_denied);
}

TEST(Condition, StringEqualsNeedsTheKey) {
  const json policy = allow("*", "*", {{"StringEquals", {{"aws:RequestTag/case", {"A", "B"}}}}});
  EXPECT_EQ(decide({policy}, "x:y", {{"aws:requesttag/case", {"B"}}}), Decision::allowed);
  EXPECT_EQ(decide({policy}, "x:y", {{"aws:requesttag/case", {"b"}}}), Decision::implicitly_denied);
  EXPECT_EQ(decide({policy}, "x:y"), Decision::implicitly_denied);
}

TEST(Condition, NegatedAndIfExistsHoldWithoutTheKey) {
  EXPECT_EQ(decide({allow("*", "*", {{"StringNotEquals", {{"k", "v"}}}})}, "x:y"), Decision::allowed);
  EXPECT_EQ(decide({allow("*", "*", {{"StringEqualsIfExists", {{"k", "v"}}}})}, "x:y"), Decision::allowed);
  EXPECT_EQ(decide({allow("*", "*", {{"StringEqualsIfExists", {{"k", "v"}}}})}, "x:y", {{"k", {"w"}}}), Decision::implicitly_denied);
}

TEST(Condition, ForAllValuesBindsEveryTagKey) {
  const json policy = allow("*", "*", {{"ForAllValues:StringLike", {{"aws:TagKeys", {"icecore:*"}}}}});
  EXPECT_EQ(decide({policy}, "x:y", {{"aws:tagkeys", {"icecore:case", "icecore:run"}}}), Decision::allowed);
  EXPECT_EQ(decide({policy}, "x:y", {{"aws:tagkeys", {"icecore:case", "other"}}}), Decision::implicitly_denied);
}

TEST(Condition, NullNumbersDatesAndAddresses) {
  EXPECT_EQ(decide({allow("*", "*", {{"Null", {{"k", "true"}}}})}, "x:y"), Decision::allowed);
  EXPECT_EQ(decide({allow("*", "*", {{"Null", {{"k", "false"}}}})}, "x:y"), Decision::implicitly_denied);
  EXPECT_EQ(decide({allow("*", "*", {{"NumericLessThan", {{"n", 10}}}})}, "x:y", {{"n", {"9"}}}), Decision::allowed);
  EXPECT_EQ(decide({allow("*", "*", {{"NumericLessThan", {{"n", 10}}}})}, "x:y", {{"n", {"10"}}}), Decision::implicitly_denied);
  EXPECT_EQ(decide({allow("*", "*", {{"DateLessThan", {{"t", "2026-01-02T00:00:00Z"}}}})}, "x:y", {{"t", {"2026-01-01T00:00:00Z"}}}),
            Decision::allowed);
  EXPECT_EQ(decide({allow("*", "*", {{"IpAddress", {{"ip", "10.0.0.0/8"}}}})}, "x:y", {{"ip", {"10.1.2.3"}}}), Decision::allowed);
  EXPECT_EQ(decide({allow("*", "*", {{"IpAddress", {{"ip", "10.0.0.0/8"}}}})}, "x:y", {{"ip", {"11.1.2.3"}}}), Decision::implicitly_denied);
}

TEST(Condition, VariablesComeFromTheContext) {
  const json policy = allow("*", "arn:aws:ec2:us-west-2::snapshot/${aws:username}");
  EXPECT_EQ(evaluate({policy}, {"x:y", "arn:aws:ec2:us-west-2::snapshot/eve", {{"aws:username", {"eve"}}}}), Decision::allowed);
  EXPECT_EQ(evaluate({policy}, {"x:y", "arn:aws:ec2:us-west-2::snapshot/bob", {{"aws:username", {"eve"}}}}), Decision::implicitly_denied);
}

TEST(Policy, WhatTheLabCannotEvaluateIsNamed) {
  EXPECT_EQ(policy_problem(allow("*")), "");
  EXPECT_NE(policy_problem(allow("*", "*", {{"BinaryEquals", {{"k", "v"}}}})).find("BinaryEquals"), std::string::npos);
  json odd = allow("*");
  odd["Statement"][0]["Principal"] = "*";
  EXPECT_NE(policy_problem(odd).find("Principal"), std::string::npos);
  EXPECT_NE(policy_problem({{"Version", "2012-10-17"}}), "");
}

TEST(Principal, ASessionMayWhatBothItsPoliciesAllow) {
  Principal session{"arn", "id", "1", {{allow("ec2:*")}, {allow("ec2:Describe*")}}};
  EXPECT_EQ(session.may({"ec2:DescribeRegions", "*", {}}), Decision::allowed);
  EXPECT_EQ(session.may({"ec2:DeleteSnapshot", "*", {}}), Decision::implicitly_denied);
  EXPECT_EQ(Principal().may({"ec2:DeleteSnapshot", "*", {}}), Decision::allowed);  // no policies at all: a trusted key of a test
}

}  // namespace
}  // namespace icelab
