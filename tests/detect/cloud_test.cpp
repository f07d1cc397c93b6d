// C1–C3: a stolen key against the administrator, the autoscaler and the responder.
#include "scene_builder.h"

namespace icecore::detect::test {
namespace {

constexpr const char* kThief = "203.0.113.66";
constexpr const char* kOffice = "192.0.2.10";

struct Cloud : testing::Test {
  SceneBuilder scene;
  Cloud() { scene.with_machine = false; }

  void ordinary_life() {
    for (int day = -20; day < 0; ++day) {
      scene.cloud(t(day * kDay), {"DescribeInstances", "AKIAADMIN", kOffice});
      scene.cloud(t(day * kDay + 60), {"DescribeVolumes", "AKIAADMIN", kOffice});
      scene.cloud(t(day * kDay + 90), {"PutObject", "AKIABOT", "192.0.2.50"});
    }
  }
  void recon(const char* key) {
    scene.cloud(t(0), {"GetCallerIdentity", key, kThief, "null", "", "sts.amazonaws.com"});
    scene.cloud(t(20), {"DescribeInstances", key, kThief});
    scene.cloud(t(40), {"ListUsers", key, kThief, "null", "AccessDenied", "iam.amazonaws.com"});
    scene.cloud(t(50), {"DescribeSecurityGroups", key, kThief});
  }
};

TEST_F(Cloud, AStolenKeyThatLooksAroundIsSeenWithAllItsQuestions) {
  ordinary_life();
  recon("AKIABOT");
  const auto found = of_rule(scene.run(), "cloud-key-recon");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kHigh);
  EXPECT_EQ(found[0].locations.size(), 4U);
  EXPECT_EQ(found[0].time->seconds, kNow);
  EXPECT_EQ(found[0].last->seconds, kNow + 50);
  EXPECT_EQ(found[0].locations[2].event_name, "ListUsers");
  EXPECT_EQ(found[0].locations[2].case_file, "cloudtrail/events.jsonl");
  EXPECT_EQ(found[0].locations[2].source_ip, kThief);
  EXPECT_NE(found[0].sentence.find(kThief), std::string::npos);
}

TEST_F(Cloud, AKeyNeverUsedBeforeIsSeenByWhatItGoesOnToDo) {
  recon("AKIABOT");
  scene.cloud(t(300), {"RunInstances", "AKIABOT", kThief, R"({"maxCount":1})", "Client.VcpuLimitExceeded"});
  EXPECT_EQ(of_rule(scene.run(), "cloud-key-recon").size(), 1U);
}

TEST_F(Cloud, AStolenKeyWithAllRightsIsSeenByEndingTheLogging) {
  ordinary_life();
  scene.cloud(t(0), {"GetCallerIdentity", "AKIAADMIN", kThief});
  scene.cloud(t(10), {"DescribeInstances", "AKIAADMIN", kThief});
  scene.cloud(t(20), {"StopLogging", "AKIAADMIN", kThief, R"({"name":"main"})", "", "cloudtrail.amazonaws.com"});
  scene.cloud(t(30), {"RunInstances", "AKIAADMIN", kThief, R"({"maxCount":20})"});
  const auto findings = scene.run();
  EXPECT_EQ(of_rule(findings, "cloud-key-recon").size(), 1U);
  EXPECT_EQ(of_rule(findings, "cloud-mass-launch", Severity::kCritical).size(), 1U);
}

TEST_F(Cloud, AnAdministratorFromANewPlaceIsRefusedNothing) {
  ordinary_life();
  scene.cloud(t(0), {"GetCallerIdentity", "AKIAADMIN", "192.0.2.77"});
  scene.cloud(t(10), {"DescribeInstances", "AKIAADMIN", "192.0.2.77"});
  scene.cloud(t(20), {"ListUsers", "AKIAADMIN", "192.0.2.77"});
  scene.cloud(t(30), {"DescribeVolumes", "AKIAADMIN", "192.0.2.77"});
  scene.cloud(t(40),
              {"AuthorizeSecurityGroupIngress", "AKIAADMIN", "192.0.2.77",
               R"({"groupId":"sg-1","ipPermissions":{"items":[{"fromPort":443,"toPort":443,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}})"});
  EXPECT_EQ(alarms(scene.run()), "");
}

TEST_F(Cloud, AColleagueWithFewerRightsInTheSameOfficeIsNoThief) {
  ordinary_life();
  scene.cloud(t(0), {"GetCallerIdentity", "AKIAJUNIOR", kOffice});
  scene.cloud(t(20), {"DescribeInstances", "AKIAJUNIOR", kOffice});
  scene.cloud(t(40), {"ListUsers", "AKIAJUNIOR", kOffice, "null", "AccessDenied"});
  scene.cloud(t(50), {"DescribeVolumes", "AKIAJUNIOR", kOffice});
  EXPECT_EQ(alarms(scene.run()), "");
}

TEST_F(Cloud, TheRespondersOwnCallsAreNoIncident) {
  recon("AKIABOT");
  scene.cloud(t(100), {"StopLogging", "AKIABOT", kThief});
  scene.instance.own_requests = {"request-1", "request-2", "request-3", "request-4", "request-5"};
  EXPECT_EQ(alarms(scene.run()), "");
}

TEST_F(Cloud, TheRespondersKeyInOtherHandsIsAnIncident) {
  ordinary_life();
  scene.cloud(t(-10), {"DescribeInstances", "AKIABOT", kOffice});
  scene.instance.own_requests = {"request-61"};
  recon("AKIABOT");
  EXPECT_EQ(of_rule(scene.run(), "cloud-key-recon").size(), 1U);
}

TEST_F(Cloud, BulkLaunchesGrantedAndRefusedAreOneFinding) {
  ordinary_life();
  recon("AKIABOT");
  scene.cloud(t(500), {"CreateKeyPair", "AKIABOT", kThief, R"({"keyName":"k1"})"});
  scene.cloud(t(510),
              {"AuthorizeSecurityGroupIngress", "AKIABOT", kThief,
               R"({"groupId":"sg-1","ipPermissions":{"items":[{"fromPort":22,"toPort":22,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}})"});
  for (int i = 0; i < 9; ++i)
    scene.cloud(t(600 + i * 20),
                {"RunInstances", "AKIABOT", kThief, R"({"instanceType":"c5.24xlarge","instancesSet":{"items":[{"minCount":1,"maxCount":5}]}})",
                 i > 5 ? "Client.VcpuLimitExceeded" : ""});
  const auto findings = scene.run();
  const auto launch = of_rule(findings, "cloud-mass-launch");
  ASSERT_EQ(launch.size(), 1U);
  EXPECT_EQ(launch[0].severity, Severity::kCritical);
  EXPECT_EQ(launch[0].locations.size(), 9U);
  EXPECT_NE(launch[0].sentence.find("45 instances"), std::string::npos) << launch[0].sentence;
  EXPECT_NE(launch[0].sentence.find("3 requests were refused"), std::string::npos) << launch[0].sentence;
  EXPECT_EQ(of_rule(findings, "cloud-new-key-pair").size(), 1U);
  const auto ingress = of_rule(findings, "cloud-open-ingress");
  ASSERT_EQ(ingress.size(), 1U);
  EXPECT_EQ(ingress[0].severity, Severity::kHigh);
}

TEST_F(Cloud, AFleetOfTheAdministratorsIsANote) {
  ordinary_life();
  scene.cloud(t(0), {"RunInstances", "AKIAADMIN", kOffice, R"({"maxCount":10})"});
  scene.cloud(t(5), {"CreateKeyPair", "AKIAADMIN", kOffice, R"({"keyName":"web"})"});
  scene.cloud(t(9), {"RunInstances", "AKIAASG", "autoscaling.amazonaws.com", R"({"maxCount":40})"});
  EXPECT_EQ(alarms(scene.run()), "");
}

TEST_F(Cloud, StoppingTheTrailIsToldEvenWhereItWasRefused) {
  scene.cloud(t(0), {"StopLogging", "AKIAX", kThief, R"({"name":"main"})", "AccessDenied", "cloudtrail.amazonaws.com"});
  scene.cloud(t(10), {"PutEventSelectors", "AKIAADMIN", kOffice, "null", "", "cloudtrail.amazonaws.com"});
  const auto found = of_rule(scene.run(), "cloud-logging-tampered");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].severity, Severity::kCritical);
  EXPECT_NE(found[0].sentence.find("refused"), std::string::npos);
  EXPECT_EQ(found[1].severity, Severity::kLow);
}

TEST_F(Cloud, UserDataReplacedBetweenStopAndStart) {
  recon("AKIABOT");
  scene.cloud(t(600), {"StopInstances", "AKIABOT", kThief, R"({"instancesSet":{"items":[{"instanceId":"i-1"}]}})"});
  scene.cloud(t(660), {"ModifyInstanceAttribute", "AKIABOT", kThief, R"({"instanceId":"i-1","userData":"<sensitiveDataRemoved>"})"});
  scene.cloud(t(700), {"StartInstances", "AKIABOT", kThief, R"({"instancesSet":{"items":[{"instanceId":"i-1"}]}})"});
  scene.cloud(t(800), {"ModifyInstanceAttribute", "AKIABOT", kThief, R"({"instanceId":"i-1","disableApiTermination":{"value":true}})"});
  const auto found = of_rule(scene.run(), "cloud-user-data-changed");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kHigh);
  EXPECT_EQ(found[0].locations.size(), 3U);
  EXPECT_EQ(found[0].first->seconds, kNow + 600);
  EXPECT_EQ(found[0].last->seconds, kNow + 700);
}

TEST_F(Cloud, TheSecondStolenKeyIsSuspectByItsAddress) {
  ordinary_life();
  recon("AKIABOT");
  scene.cloud(t(4000), {"GetCallerIdentity", "AKIASECOND", kThief});
  scene.cloud(t(4010), {"ListBuckets", "AKIASECOND", kThief});
  EXPECT_EQ(of_rule(scene.run(), "cloud-key-recon").size(), 2U);
}

}  // namespace
}  // namespace icecore::detect::test
