#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "support.h"

namespace icelab::test {
namespace {

LabOptions slow_snapshots(Millis duration) {
  LabOptions options;
  options.snapshot_ms = duration;
  return options;
}

std::string status_of(TestLab& lab, const std::string& id) { return element(lab.ec2("Action=DescribeSnapshots&SnapshotId.1=" + id).body, "status"); }

std::string create(TestLab& lab) { return element(lab.ec2(std::string("Action=CreateSnapshot&VolumeId=") + kVolume).body, "snapshotId"); }

void wait(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

TEST(Snapshot, IsPendingAndThenCompleted) {
  TestLab lab(slow_snapshots(150));
  const std::string id = create(lab);
  ASSERT_FALSE(id.empty());
  EXPECT_EQ(status_of(lab, id), "pending");
  EXPECT_EQ(lab.ebs("/snapshots/" + id + "/blocks").status, 400);
  wait(200);
  EXPECT_EQ(status_of(lab, id), "completed");
  EXPECT_EQ(lab.ebs("/snapshots/" + id + "/blocks").status, 200);
}

TEST(Snapshot, ShowsProgressOnTheWay) {
  TestLab lab(slow_snapshots(1000));
  const std::string id = create(lab);
  wait(300);
  const std::string progress = element(lab.ec2("Action=DescribeSnapshots&SnapshotId.1=" + id).body, "progress");
  EXPECT_GE(std::stoi(progress), 20);
  EXPECT_LT(std::stoi(progress), 100);
}

TEST(Snapshot, EndsInErrorOnRequest) {
  TestLab lab(slow_snapshots(20));
  lab.lab->failing_snapshots = 1;
  const std::string first = create(lab);
  const std::string second = create(lab);
  wait(40);
  EXPECT_EQ(status_of(lab, first), "error");
  EXPECT_EQ(status_of(lab, second), "completed");
  const Reply reply = lab.ebs("/snapshots/" + first + "/blocks");
  EXPECT_EQ(json::parse(reply.body)["Reason"], "INVALID_SNAPSHOT_ID");
}

TEST(Snapshot, ItsMomentIsFixedAtTheCall) {
  TestLab lab(slow_snapshots(0));
  const std::string before = create(lab);
  const auto write =
      serve(*lab.lab, {"PUT", std::string("/_lab/volumes/") + kVolume + "/blocks/5", "", {}, std::string(kBlockSize, 'z')}, lab.delivery);
  ASSERT_EQ(write.status, 200);
  const std::string after = create(lab);
  EXPECT_EQ(lab.lab->world->image(before)->read(5), std::string(kBlockSize, '\0'));
  EXPECT_EQ(lab.lab->world->image(after)->read(5), std::string(kBlockSize, 'z'));
  const json changed = json::parse(lab.ebs("/snapshots/" + after + "/changedblocks", "firstSnapshotId=" + before).body);
  ASSERT_EQ(changed["ChangedBlocks"].size(), 1U);
  EXPECT_EQ(changed["ChangedBlocks"][0]["BlockIndex"], 5);
  EXPECT_FALSE(changed["ChangedBlocks"][0].contains("FirstBlockToken"));
}

TEST(Snapshot, IsHiddenFromEbsDirectForAMomentOnRequest) {
  LabOptions options = slow_snapshots(0);
  options.ebs_hidden_ms = 150;
  TestLab lab(options);
  const std::string id = create(lab);
  EXPECT_EQ(status_of(lab, id), "completed");
  const Reply hidden = lab.ebs("/snapshots/" + id + "/blocks");
  EXPECT_EQ(hidden.status, 404);
  EXPECT_EQ(json::parse(hidden.body)["Reason"], "SNAPSHOT_NOT_FOUND");
  wait(200);
  EXPECT_EQ(lab.ebs("/snapshots/" + id + "/blocks").status, 200);
}

TEST(Snapshot, OfAnUnknownVolumeIsRefused) {
  TestLab lab;
  EXPECT_EQ(element(lab.ec2("Action=CreateSnapshot&VolumeId=vol-0123456789abcdef0").body, "Code"), "InvalidVolume.NotFound");
  EXPECT_EQ(element(lab.ec2("Action=CreateSnapshot&VolumeId=vol-1").body, "Code"), "InvalidVolumeID.Malformed");
  EXPECT_EQ(element(lab.ec2("Action=CreateSnapshot").body, "Code"), "MissingParameter");
}

TEST(Snapshot, ADryRunMakesNone) {
  TestLab lab;
  const Reply reply = lab.ec2(std::string("Action=CreateSnapshot&DryRun=true&VolumeId=") + kVolume);
  EXPECT_EQ(reply.status, 412);
  EXPECT_EQ(element(reply.body, "Code"), "DryRunOperation");
  const json state = json::parse(serve(*lab.lab, {"GET", "/_lab/state", "", {}, ""}, lab.delivery).body);
  EXPECT_EQ(state["us-west-2"]["snapshots"].size(), 1U);
}

}  // namespace
}  // namespace icelab::test
