#include "aws/operations.h"

#include <set>

#include "core/json.h"
#include "support/support.h"

namespace icecore::aws {
namespace {

TEST(Operations, AreThoseOfTheServiceModels) {
  const std::string script =
      "import botocore.session,json; s=botocore.session.Session(); print(json.dumps({n: {o: "
      "[s.get_service_model(n).operation_model(o).http['method'], "
      "list((s.get_service_model(n).operation_model(o).input_shape.members if s.get_service_model(n).operation_model(o).input_shape else "
      "{}).keys())] "
      "for o in s.get_service_model(n).operation_names} for n in ['ec2','ebs','cloudtrail','sts','iam','ssm','kms','s3']}))";
  const Json models = Json::parse(test::run_ok("python3 -c \"" + script + "\""));
  std::set<std::string> seen;
  for (const Operation& one : operations()) {
    const std::string service(one.service);
    const std::string name(one.name);
    EXPECT_TRUE(seen.insert(service + ":" + name).second) << name << " is listed twice";
    // Debian 12's botocore (1.29) is older than snapshot locks; newer ones are the oracle for those two.
    if ((name == "LockSnapshot" || name == "DescribeLockedSnapshots") && !models.at(service).contains(name)) continue;
    ASSERT_TRUE(models.at(service).contains(name)) << service << " " << name;
    const Json members = models.at(service).at(name)[1];
    const auto has = [&](const char* member) { return std::find(members.begin(), members.end(), member) != members.end(); };
    // DescribeImages pages since 2023, after Debian's botocore.
    if (service == "ec2" && name != "DescribeImages") {
      EXPECT_EQ(one.page_size > 0, has("MaxResults")) << name;
    }
    if (one.mutating && !has("ClientToken") && (name.starts_with("Create") || name.starts_with("Run") || name.starts_with("Copy")) &&
        name != "CreateTags") {
      EXPECT_FALSE(one.repeatable) << name << " has no ClientToken and makes something";
    }
    // S3's actions are named after what is allowed, not after the call (Service Authorization Reference).
    if (!one.iam_action.empty() && service != "s3") {
      EXPECT_EQ(one.iam_action, service + ":" + name);
    }
    if (!one.mutating) {
      EXPECT_TRUE(one.repeatable) << name;
    }
  }
}

TEST(Operations, APlanHasOneCostAndOnePolicy) {
  const std::vector<PlannedCall> plan = {{&operation("ebs", "GetSnapshotBlock"), 204'800, "the whole disk"},
                                         {&operation("ebs", "ListSnapshotBlocks"), 21, "its list"},
                                         {&operation("ec2", "CreateSnapshots"), 1, ""},
                                         {&operation("sts", "GetCallerIdentity"), 1, ""}};
  EXPECT_NEAR(cost_dollars(plan), 0.6144, 0.0001) << "100 GiB in full is about $0.61";
  EXPECT_EQ(iam_actions(plan),
            (std::vector<std::string>{"ebs:GetSnapshotBlock", "ebs:ListSnapshotBlocks", "ec2:CreateSnapshots", "ec2:CreateTags", "kms:Decrypt"}));
}

}  // namespace
}  // namespace icecore::aws
