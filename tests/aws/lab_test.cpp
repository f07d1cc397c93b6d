// End to end against the strict lab: every request is checked by its own signer and botocore's service models.
#include <fmt/format.h>

#include "core/parallel.h"
#include "executor_fixture.h"
#include "lab_world.h"

namespace icecore::aws {
namespace {

using namespace test_support;

TEST(Lab, DescribesEverythingThroughSmallAndEmptyPages) {
  const RunningLab lab({"--page-size", "1", "--empty-pages"});
  const auto session = lab.session();
  Ec2 ec2 = session->ec2().value();
  const auto instances = ec2.describe_instances({.ids = {kInstance}});
  ICECORE_ASSERT_OK(instances);
  ASSERT_EQ(instances->items.size(), 1U);
  const Instance& instance = instances->items[0];
  EXPECT_EQ(instance.state, "running");
  EXPECT_EQ(instance.availability_zone, "us-west-2a");
  EXPECT_EQ(tag_value(instance.tags, "Name"), "web <&> \"1\"");
  ASSERT_EQ(instance.block_devices.size(), 2U);
  EXPECT_EQ(instance.block_devices[1].volume_id, kDataVolume);
  const auto volumes = ec2.describe_volumes({.filters = {{"attachment.instance-id", {kInstance}}}});
  ICECORE_ASSERT_OK(volumes);
  ASSERT_EQ(volumes->items.size(), 2U);
  EXPECT_EQ(volumes->items[0].attachments.at(0).instance_id, kInstance);
  EXPECT_GE(volumes->pages.size(), 3U) << "empty pages came too";
  const auto snapshots = ec2.describe_snapshots({.filters = {{"volume-id", {kRootVolume}}}}, {"self"});
  ICECORE_ASSERT_OK(snapshots);
  ASSERT_EQ(snapshots->items.size(), 1U);
  EXPECT_EQ(snapshots->items[0].state, "completed");
  EXPECT_EQ(snapshots->items[0].progress, "100%");
  EXPECT_EQ(ec2.describe_network_interfaces({.filters = {{"attachment.instance-id", {kInstance}}}}).value().items.at(0).id, "eni-0000000000000000f");
  EXPECT_EQ(ec2.describe_security_groups({.ids = {"sg-0000000000000000e"}}).value().items.at(0).name, "web");
  EXPECT_EQ(ec2.describe_subnets({.ids = {"subnet-0000000000000000d"}}).value().items.at(0).availability_zone, "us-west-2a");
  EXPECT_EQ(ec2.describe_vpcs({.ids = {"vpc-0000000000000000c"}}).value().items.at(0).cidr, "10.0.0.0/16");
  EXPECT_EQ(ec2.describe_images({.ids = {"ami-00000000000000010"}}).value().items.at(0).block_devices.at(0).snapshot_id, kOldSnapshot);
  EXPECT_EQ(ec2.describe_instance_types({.ids = {"t3.small"}}).value().items.at(0).hypervisor, "nitro");
  EXPECT_EQ(ec2.describe_availability_zones().value().items.size(), 2U);
  EXPECT_EQ(ec2.describe_instance_attribute(kInstance, "userData").value().value, "I2Nsb3VkLWNvbmZpZwo=");
  EXPECT_EQ(ec2.get_console_output(kInstance, false).value().value.text, "login: \x1b[2J\n");
  EXPECT_EQ(ec2.get_console_screenshot(kInstance).value().value.size(), 7U);
}

TEST(Lab, EveryOtherDescribeCallIsValid) {
  const RunningLab lab;
  const auto session = lab.session();
  Ec2 ec2 = session->ec2().value();
  const Filter of_instance{"instance-id", {kInstance}};
  const std::vector<std::pair<std::string, Parameters>> calls = {
      {"DescribeInstanceStatus", Parameters().filters(std::vector<Filter>{{"instance-state-name", {"running"}}})},
      {"DescribeInstanceCreditSpecifications", Parameters().filters(std::vector<Filter>{of_instance})},
      {"DescribeIamInstanceProfileAssociations", Parameters().filters(std::vector<Filter>{of_instance})},
      {"DescribeSecurityGroupRules", Parameters().filters(std::vector<Filter>{{"group-id", {"sg-0000000000000000e"}}})},
      {"DescribeKeyPairs", Parameters().list("KeyName", std::vector<std::string>{"k"})},
      {"DescribeLaunchTemplates", {}}};
  for (const auto& [action, parameters] : calls) {
    const auto pages = ec2.pages(action, parameters);
    ASSERT_TRUE(pages.has_value()) << action << ": " << to_string(pages.error());
    EXPECT_NE(pages->at(0).find(action + "Response"), std::string::npos) << pages->at(0);
  }
}

std::vector<ListedBlock> list_all(Ebs& ebs, const std::string& snapshot) {
  std::vector<ListedBlock> listed;
  std::optional<std::string> token;
  do {
    auto part = ebs.list_snapshot_blocks({.snapshot = snapshot, .page_token = token, .max_results = 100, .not_found_grace_ms = 10'000});
    EXPECT_TRUE(part.has_value()) << (part ? "" : to_string(part.error()));
    if (!part) return {};
    listed.insert(listed.end(), part->blocks.begin(), part->blocks.end());
    token = part->next_token;
  } while (token);
  return listed;
}

/// All listed blocks of a snapshot, fetched by many threads. A token that was damaged on the way shows by its refusal: then it lists again, as every
/// caller must.
std::map<std::uint64_t, Bytes> fetch_all(Ebs& ebs, const std::string& snapshot) {
  std::map<std::uint64_t, Bytes> blocks;
  std::mutex mutex;
  std::atomic<bool> bad_token{true};
  for (int round = 0; round < 5 && bad_token.exchange(false); ++round) {
    const std::vector<ListedBlock> listed = list_all(ebs, snapshot);
    const auto done = parallel_for(listed.size(), 16, [&](std::size_t i) -> Result<void> {
      auto block = ebs.get_snapshot_block(snapshot, listed[i].index, listed[i].token);
      if (!block && block.error().reason == "INVALID_BLOCK_TOKEN") {
        bad_token = true;
        return {};
      }
      if (!block) return Failure(std::move(block).error());
      const std::scoped_lock lock(mutex);
      blocks[listed[i].index] = std::move(block->bytes);
      return {};
    });
    EXPECT_TRUE(done.has_value()) << (done ? "" : to_string(done.error()));
  }
  return blocks;
}

void expect_root_disk(const std::map<std::uint64_t, Bytes>& blocks) {
  EXPECT_EQ(blocks.size(), std::size(kRootBlocks));
  for (const std::uint64_t index : kRootBlocks) {
    ASSERT_TRUE(blocks.contains(index)) << index;
    EXPECT_EQ(blocks.at(index), Bytes(kBlockBytes, static_cast<std::byte>(letter_of(index)))) << index;
  }
}

std::vector<Snapshot> wait_completed(Ec2& ec2, const std::vector<std::string>& ids) {
  for (int i = 0; i < 100; ++i) {
    auto listing = ec2.describe_snapshots({.ids = ids});
    EXPECT_TRUE(listing.has_value()) << (listing ? "" : to_string(listing.error()));
    if (!listing) return {};
    if (std::all_of(listing->items.begin(), listing->items.end(), [](const Snapshot& one) { return one.state == "completed"; })) {
      return listing->items;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  ADD_FAILURE() << "the snapshots do not complete";
  return {};
}

TEST(Lab, SnapshotsAreTakenAndReadOverTls) {
  const RunningLab lab({"--tls", "--snapshot-seconds", "0.3", "--ebs-hidden-seconds", "0.5"});
  auto variables = lab.variables();
  const auto untrusting = lab.session(variables, {});
  const auto refused = untrusting->ec2().value().describe_vpcs({});
  ICECORE_EXPECT_CODE(refused, Code::kNetwork);
  variables["AWS_CA_BUNDLE"] = lab.authority();
  RecordingObserver observer;
  const auto session = lab.session(variables, {}, observer);
  Ec2 ec2 = session->ec2().value();
  Ebs ebs = session->ebs().value();
  const auto made = ec2.create_snapshots({.instance_id = kInstance, .description = "Forensics", .tags = {{"icecore:run", "r 1"}}});
  ICECORE_ASSERT_OK(made);
  ASSERT_EQ(made->value.size(), 2U);
  const std::string root = made->value[0].volume_id == kRootVolume ? made->value[0].id : made->value[1].id;
  const auto done = wait_completed(ec2, {made->value[0].id, made->value[1].id});
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(tag_value(done[0].tags, "icecore:run"), "r 1");
  expect_root_disk(fetch_all(ebs, root));
  const auto changed = ebs.list_changed_blocks({.first_snapshot = kOldSnapshot, .second_snapshot = root});
  ICECORE_ASSERT_OK(changed);
  EXPECT_TRUE(changed->blocks.empty());
  {
    const auto result = session->executor().flush_summaries();
    ICECORE_ASSERT_OK(result);
  }
  ASSERT_EQ(observer.summaries.size(), 1U);
  EXPECT_EQ(observer.summaries[0].calls, std::size(kRootBlocks));
  EXPECT_FALSE(observer.outcomes.at(0).request_id.empty());
}

TEST(Lab, FaultsOfTheWireChangeNothing) {
  const RunningLab lab({"--fault-throttle", "15", "--fault-5xx", "5", "--fault-reset", "5", "--fault-corrupt", "10", "--fault-truncate", "5",
                        "--fault-latency-ms", "10", "--fault-only", "GetSnapshotBlock,ListSnapshotBlocks,DescribeSnapshots,DescribeInstances"});
  const auto session = lab.session();
  Ebs ebs = session->ebs().value();
  for (int round = 0; round < 6; ++round) expect_root_disk(fetch_all(ebs, kOldSnapshot));
  for (int i = 0; i < 20; ++i) {
    const auto listing = session->ec2().value().describe_snapshots({.ids = {kOldSnapshot}});
    ICECORE_ASSERT_OK(listing);
  }
}

TEST(Lab, ALostReplyMakesNoSecondSnapshot) {
  const RunningLab lab({"--fault-script", R"({"action":"CreateSnapshots","nth":1,"lose_reply":true})"});
  const auto session = lab.session();
  Ec2 ec2 = session->ec2().value();
  const auto lost = ec2.create_snapshots({.instance_id = kInstance, .tags = {{"icecore:run", "run-7"}}});
  ASSERT_FALSE(lost.has_value());
  EXPECT_TRUE(lost.error().outcome_unknown) << to_string(lost.error());
  ICECORE_EXPECT_CODE(lost, Code::kNetwork);
  const auto found = ec2.describe_snapshots({.filters = {{"tag:icecore:run", {"run-7"}}}}, {"self"});
  ICECORE_ASSERT_OK(found);
  EXPECT_EQ(found->items.size(), 2U) << "one per volume: found by the tag, made once";
}

TEST(Lab, AClientTokenMakesALostVolumeOne) {
  const RunningLab lab({"--fault-script", R"({"action":"CreateVolume","nth":1,"lose_reply":true})"});
  const auto session = lab.session();
  Ec2 ec2 = session->ec2().value();
  const auto volume = ec2.create_volume(
      {.availability_zone = "us-west-2b", .snapshot_id = kOldSnapshot, .client_token = "token-1", .tags = {{"icecore:run", "run-8"}}});
  ICECORE_ASSERT_OK(volume);
  EXPECT_EQ(volume->value.availability_zone, "us-west-2b");
  const auto all = ec2.describe_volumes({.filters = {{"tag:icecore:run", {"run-8"}}}});
  ICECORE_ASSERT_OK(all);
  ASSERT_EQ(all->items.size(), 1U);
  EXPECT_EQ(all->items[0].id, volume->value.id);
}

TEST(Lab, AWrongClockIsCorrected) {
  const RunningLab lab({"--fault-skew-seconds", "7200"});
  const auto session = lab.session();
  {
    const auto result = session->ec2().value().describe_vpcs({.ids = {"vpc-0000000000000000c"}});
    ICECORE_ASSERT_OK(result);
  }
  EXPECT_NEAR(static_cast<double>(session->executor().clock_offset()), 7200, 5);
  {
    const auto result = session->ebs().value().list_snapshot_blocks({.snapshot = kOldSnapshot});
    ICECORE_ASSERT_OK(result);
  }
}

TEST(Lab, RefusalsAreTold) {
  const RunningLab lab;
  const auto reader = lab.session(lab.variables("AKIAREADER", "s2"), {});
  const auto snapshot = reader->ec2().value().create_snapshots({.instance_id = kInstance});
  ICECORE_EXPECT_CODE(snapshot, Code::kPermission);
  EXPECT_NE(snapshot.error().message.find("ec2:CreateSnapshots"), std::string::npos);
  const auto block = reader->ebs().value().list_snapshot_blocks({.snapshot = kOldSnapshot});
  ICECORE_EXPECT_CODE(block, Code::kPermission);
  EXPECT_NE(block.error().message.find("ebs:ListSnapshotBlocks"), std::string::npos) << block.error().message;

  auto expired = lab.variables("ASIAEXPIRED", "s3");
  expired["AWS_SESSION_TOKEN"] = "t3";
  const auto old = lab.session(expired, {})->ec2().value().describe_vpcs({});
  ICECORE_EXPECT_CODE(old, Code::kCredentials);
  EXPECT_NE(old.error().message.find("expired"), std::string::npos) << old.error().message;

  const auto wrong_secret = lab.session(lab.variables("AKIARESPONDER", "wrong"), {})->ec2().value().describe_vpcs({});
  ICECORE_EXPECT_CODE(wrong_secret, Code::kCredentials);
  const auto nobody = lab.session(lab.variables("AKIANOBODY", "x"), {})->ebs().value().list_snapshot_blocks({.snapshot = kOldSnapshot});
  ICECORE_EXPECT_CODE(nobody, Code::kCredentials);

  const auto session = lab.session();
  const auto unknown = session->ec2().value().describe_instances({.ids = {"i-0ffffffffffffffff"}});
  ICECORE_EXPECT_CODE(unknown, Code::kNotFound);
  EXPECT_EQ(unknown.error().aws_code, "InvalidInstanceID.NotFound");
  const auto malformed = session->ec2().value().describe_instances({.ids = {"i-xyz"}});
  ICECORE_EXPECT_CODE(malformed, Code::kInvalidArgument);
  const auto hidden = session->ebs().value().list_snapshot_blocks({.snapshot = "snap-0ffffffffffffffff"});
  ICECORE_EXPECT_CODE(hidden, Code::kNotFound);
  const auto token = session->ebs().value().get_snapshot_block(kOldSnapshot, 0, "bm90IGEgdG9rZW4=");
  ASSERT_FALSE(token.has_value());
  EXPECT_EQ(token.error().reason, "INVALID_BLOCK_TOKEN") << token.error().message;
}

TEST(Lab, DryRunsAskAndChangeNothing) {
  const RunningLab lab;
  const Json before = lab.state().at("us-west-2").at("snapshots");
  const auto session = lab.session();
  Ec2 ec2 = session->ec2().value();
  {
    const auto result = ec2.create_snapshots({.instance_id = kInstance, .tags = {{"a", "b"}}, .dry_run = true});
    ICECORE_ASSERT_OK(result);
  }
  {
    const auto result = ec2.delete_snapshot(kOldSnapshot, true);
    ICECORE_ASSERT_OK(result);
  }
  const auto reader = lab.session(lab.variables("AKIAREADER", "s2"), {});
  const auto may_not = reader->ec2().value().delete_snapshot(kOldSnapshot, true);
  ICECORE_EXPECT_CODE(may_not, Code::kPermission);
  EXPECT_EQ(lab.state().at("us-west-2").at("snapshots").size(), before.size());
}

TEST(Lab, RolesAreAssumedByAProfile) {
  const RunningLab lab;
  std::ofstream(lab.folder() / "config") << "[profile forensics]\nrole_arn = arn:aws:iam::111122223333:role/forensics\nsource_profile = base\n"
                                            "[profile base]\naws_access_key_id = AKIARESPONDER\naws_secret_access_key = s/+1\n";
  auto variables = lab.variables();
  variables["AWS_CONFIG_FILE"] = (lab.folder() / "config").string();
  Flags flags;
  flags.profile = "forensics";
  const auto session = lab.session(variables, flags);
  const auto who = session->sts().value().get_caller_identity();
  ICECORE_ASSERT_OK(who);
  EXPECT_EQ(who->account, "111122223333");
  EXPECT_TRUE(who->arn.starts_with("arn:aws:sts::111122223333:assumed-role/forensics/icecore-")) << who->arn;
  {
    const auto result = session->ec2().value().describe_vpcs({.ids = {"vpc-0000000000000000c"}});
    ICECORE_ASSERT_OK(result);
  }
}

TEST(Lab, TrailsAreLookedUpAtTheirPace) {
  const RunningLab lab({"--page-size", "2", "--empty-pages"});
  const auto session = lab.session();
  CloudTrail trail = session->cloudtrail().value();
  const auto found = trail.lookup_events({.attribute = "ResourceName",
                                          .value = kInstance,
                                          .start = parse_iso8601("2026-11-20T00:00:00Z").value(),
                                          .end = parse_iso8601("2026-11-24T00:00:00Z").value()});
  ICECORE_ASSERT_OK(found);
  EXPECT_EQ(found->events.size(), 7U);
  EXPECT_EQ(found->events[0].access_key_id, "AKIASTOLEN");
  EXPECT_EQ(Json::parse(found->events[0].detail).at("eventID"), found->events[0].id);
  const auto none = trail.lookup_events({.attribute = "AccessKeyId", .value = "AKIAOTHER"});
  ICECORE_ASSERT_OK(none);
  EXPECT_TRUE(none->events.empty());
  {
    const auto result = trail.describe_trails();
    ICECORE_ASSERT_OK(result);
  }
}

TEST(Lab, VolumesComeAndGo) {
  const RunningLab lab({"--volume-seconds", "0.05"});
  const auto session = lab.session();
  Ec2 ec2 = session->ec2().value();
  const auto made = ec2.create_volume({.availability_zone = "us-west-2a", .snapshot_id = kOldSnapshot, .client_token = "t"});
  ICECORE_ASSERT_OK(made);
  const std::string id = made->value.id;
  const auto until = [&](const std::string& state) {
    for (int i = 0; i < 100; ++i) {
      if (ec2.describe_volumes({.ids = {id}}).value().items.at(0).state == state) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  };
  ASSERT_TRUE(until("available"));
  const auto taken = ec2.attach_volume(id, kInstance, "/dev/sdf");
  ASSERT_FALSE(taken.has_value());
  const auto attached = ec2.attach_volume(id, kInstance, "/dev/sdg");
  ICECORE_ASSERT_OK(attached);
  EXPECT_EQ(attached->value.device, "/dev/sdg");
  ASSERT_TRUE(until("in-use"));
  {
    const auto result = ec2.detach_volume(id);
    ICECORE_ASSERT_OK(result);
  }
  ASSERT_TRUE(until("available"));
  {
    const auto result = ec2.create_tags({id}, {{"k", "v"}});
    ICECORE_ASSERT_OK(result);
  }
  EXPECT_EQ(tag_value(ec2.describe_volumes({.ids = {id}}).value().items.at(0).tags, "k"), "v");
  {
    const auto result = ec2.delete_volume(id);
    ICECORE_ASSERT_OK(result);
  }
  const auto other_zone = ec2.create_volume({.availability_zone = "us-west-2b", .snapshot_id = kOldSnapshot, .client_token = "t2"});
  ICECORE_ASSERT_OK(other_zone);
}

TEST(Lab, SnapshotsAreCopiedLockedSharedAndDeleted) {
  const RunningLab lab({"--snapshot-seconds", "0.1"});
  const auto session = lab.session();
  Ec2 ec2 = session->ec2().value();
  const auto single = ec2.create_snapshot(kDataVolume, "one", {{"k", "v"}});
  ICECORE_ASSERT_OK(single);
  EXPECT_EQ(single->value.volume_id, kDataVolume);
  const auto copy = ec2.copy_snapshot({.source_region = "us-west-2", .source_snapshot = kOldSnapshot, .description = "copy", .tags = {{"k", "v"}}});
  ICECORE_ASSERT_OK(copy);
  ASSERT_EQ(wait_completed(ec2, {single->value.id, copy->value}).size(), 2U);
  {
    const auto result = ec2.modify_snapshot_permission(copy->value, true, {"444455556666"});
    ICECORE_ASSERT_OK(result);
  }
  EXPECT_EQ(ec2.describe_snapshot_attribute(copy->value, "createVolumePermission").value().value, "444455556666");
  {
    const auto result = ec2.lock_snapshot(single->value.id, "governance", 1);
    ICECORE_ASSERT_OK(result);
  }
  const auto locked = ec2.delete_snapshot(single->value.id);
  ASSERT_FALSE(locked.has_value());
  {
    const auto result = ec2.delete_snapshot(copy->value);
    ICECORE_ASSERT_OK(result);
  }
}

TEST(Lab, AWorkstationComesAndGoes) {
  const RunningLab lab({"--instance-seconds", "0.05"});
  const auto session = lab.session();
  Ec2 ec2 = session->ec2().value();
  const auto group = ec2.create_security_group("icecore", "forensics", "vpc-0000000000000000c", {{"icecore:run", "r"}});
  ICECORE_ASSERT_OK(group);
  {
    const auto result = ec2.authorize_ingress(group->value, 22, "192.0.2.1/32", "me");
    ICECORE_ASSERT_OK(result);
  }
  Parameters launch;
  launch.set("ImageId", "ami-00000000000000010")
      .set("InstanceType", "t3.small")
      .set("MinCount", "1")
      .set("MaxCount", "1")
      .set("ClientToken", "run-1");
  launch.set("SubnetId", "subnet-0000000000000000d").set("SecurityGroupId.1", group->value).tag_specification("instance", Tags{{"icecore:run", "r"}});
  const auto made = ec2.run_instances(launch);
  ICECORE_ASSERT_OK(made);
  const auto again = ec2.run_instances(launch);
  ICECORE_ASSERT_OK(again);
  EXPECT_EQ(again->value.id, made->value.id) << "the ClientToken makes it one";
  {
    const auto result = ec2.terminate_instances({made->value.id});
    ICECORE_ASSERT_OK(result);
  }
  for (int i = 0; i < 100 && ec2.describe_instances({.ids = {made->value.id}}).value().items.at(0).state != "terminated"; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  {
    const auto result = ec2.delete_security_group(group->value);
    ICECORE_ASSERT_OK(result);
  }
}

TEST(Lab, SnapshotsAreWrittenBlockByBlock) {
  const RunningLab lab({"--snapshot-seconds", "0.1"});
  const auto session = lab.session();
  Ebs ebs = session->ebs().value();
  Ec2 ec2 = session->ec2().value();
  const auto id = ebs.start_snapshot({.volume_size_gib = 1, .description = "restored", .client_token = "c-1", .tags = {{"k", "v"}}});
  ICECORE_ASSERT_OK(id);
  for (const std::uint64_t index : kRootBlocks) {
    {
      const auto result = ebs.put_snapshot_block(*id, index, Bytes(kBlockBytes, static_cast<std::byte>(letter_of(index))));
      ICECORE_ASSERT_OK(result);
    }
  }
  {
    const auto result = ebs.complete_snapshot(*id, std::size(kRootBlocks));
    ICECORE_ASSERT_OK(result);
  }
  ASSERT_EQ(wait_completed(ec2, {*id}).size(), 1U);
  expect_root_disk(fetch_all(ebs, *id));
}

}  // namespace
}  // namespace icecore::aws
