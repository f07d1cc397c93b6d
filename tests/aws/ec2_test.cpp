#include "aws/ec2.h"

#include <fstream>

#include "aws/xml.h"
#include "core/hash.h"
#include "core/json.h"
#include "executor_fixture.h"

namespace icecore::aws {
namespace {

using test_support::ExecutorFixture;

class Ec2Test : public ExecutorFixture {
 protected:
  std::string body(std::size_t request) const { return transport_.requests().at(request).body; }
  Ec2 ec2_{executor_, "https://ec2.test", "us-west-2"};
};

std::string volume_page(const std::string& items, const std::string& token) {
  return "<DescribeVolumesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId><volumeSet>" + items + "</volumeSet>" +
         (token.empty() ? "" : "<nextToken>" + token + "</nextToken>") + "</DescribeVolumesResponse>";
}

TEST_F(Ec2Test, FollowsPagesThroughEmptyOnesAndKeepsThemVerbatim) {
  const std::vector<std::string> pages = {volume_page("<item><volumeId>vol-1</volumeId></item>", "t+1/="), volume_page("", "t2"),
                                          volume_page("", "t3"), volume_page("<item><volumeId>vol-2</volumeId></item>", "")};
  for (const std::string& page : pages) answers_.push_back(text_reply(200, page));
  const auto listing = ec2_.describe_volumes({.filters = {{"attachment.instance-id", {"i-1", "i-2"}}}});
  ICECORE_ASSERT_OK(listing);
  ASSERT_EQ(listing->items.size(), 2U);
  EXPECT_EQ(listing->items[1].id, "vol-2");
  EXPECT_EQ(listing->pages, pages);
  EXPECT_EQ(
      body(0),
      "Action=DescribeVolumes&Version=2016-11-15&Filter.1.Name=attachment.instance-id&Filter.1.Value.1=i-1&Filter.1.Value.2=i-2&MaxResults=500");
  EXPECT_EQ(body(1), body(0) + "&NextToken=t%2B1%2F%3D");
}

TEST_F(Ec2Test, AListingThatDoesNotEndIsAnError) {
  answers_ = {text_reply(200, volume_page("", "same"))};
  const auto listing = ec2_.describe_volumes({.filters = {{"status", {"in-use"}}}});
  ICECORE_EXPECT_CODE(listing, Code::kRemote);
  EXPECT_LE(sent(), 3U);
}

TEST_F(Ec2Test, IdsAndMaxResultsAreNotMixed) {
  answers_ = {text_reply(200, volume_page("", ""))};
  ICECORE_ASSERT_OK(ec2_.describe_volumes({.ids = {"vol-1"}}));
  EXPECT_EQ(body(0), "Action=DescribeVolumes&Version=2016-11-15&VolumeId.1=vol-1");
}

/// Replies that botocore itself parses are what ours are held against.
TEST_F(Ec2Test, ReadsWhatBotocoreReads) {
  const auto xml = read_text_file(test::data_file("aws/describe-instances.xml"));
  ICECORE_ASSERT_OK(xml);
  answers_ = {text_reply(200, *xml)};
  const auto listing = ec2_.describe_instances({.ids = {"i-1234567890abcdef0"}});
  ICECORE_ASSERT_OK(listing);
  const std::string script = test::data_file("../aws/oracle/parse_reply.py").string();
  const Json theirs =
      Json::parse(test::run_ok("python3 " + script + " DescribeInstances < " + test::data_file("aws/describe-instances.xml").string()));
  const Json& reservation = theirs.at("Reservations").at(0);
  const Json& expected = reservation.at("Instances").at(0);
  ASSERT_EQ(listing->items.size(), 1U);
  const Instance& instance = listing->items[0];
  EXPECT_EQ(instance.id, expected.at("InstanceId"));
  EXPECT_EQ(instance.owner_id, reservation.at("OwnerId"));
  EXPECT_EQ(instance.reservation_id, reservation.at("ReservationId"));
  EXPECT_EQ(instance.state, expected.at("State").at("Name"));
  EXPECT_EQ(instance.image_id, expected.at("ImageId"));
  EXPECT_EQ(instance.availability_zone, expected.at("Placement").at("AvailabilityZone"));
  EXPECT_EQ(instance.public_ip, expected.at("PublicIpAddress"));
  EXPECT_EQ(instance.private_ip, expected.at("PrivateIpAddress"));
  EXPECT_EQ(instance.public_dns, expected.at("PublicDnsName"));
  EXPECT_EQ(instance.instance_profile_arn, expected.at("IamInstanceProfile").at("Arn"));
  EXPECT_EQ(instance.root_device_name, expected.at("RootDeviceName"));
  EXPECT_EQ(instance.key_name, expected.at("KeyName"));
  EXPECT_EQ(to_iso8601(*instance.launch_time, 0), expected.at("LaunchTime").get<std::string>());
  ASSERT_EQ(instance.block_devices.size(), expected.at("BlockDeviceMappings").size());
  for (std::size_t i = 0; i < instance.block_devices.size(); ++i) {
    const Json& device = expected.at("BlockDeviceMappings").at(i);
    EXPECT_EQ(instance.block_devices[i].device_name, device.at("DeviceName"));
    EXPECT_EQ(instance.block_devices[i].volume_id, device.at("Ebs").at("VolumeId"));
    EXPECT_EQ(instance.block_devices[i].delete_on_termination, device.at("Ebs").at("DeleteOnTermination").get<bool>());
  }
  ASSERT_EQ(instance.network_interfaces.size(), expected.at("NetworkInterfaces").size());
  EXPECT_EQ(instance.network_interfaces[0].id, expected.at("NetworkInterfaces").at(0).at("NetworkInterfaceId"));
  EXPECT_EQ(instance.network_interfaces[0].security_groups.at(0), expected.at("NetworkInterfaces").at(0).at("Groups").at(0).at("GroupId"));
  EXPECT_EQ(instance.security_groups.size(), expected.at("SecurityGroups").size());
  EXPECT_EQ(tag_value(instance.tags, "Name"), expected.at("Tags").at(0).at("Value"));
}

TEST_F(Ec2Test, CreateSnapshotsTagsAtBirth) {
  answers_ = {
      text_reply(200,
                 "<CreateSnapshotsResponse><snapshotSet><item><snapshotId>snap-1</snapshotId><volumeId>vol-1</volumeId><state>pending</state>"
                 "<volumeSize>8</volumeSize><startTime>2026-11-24T08:43:26.123Z</startTime><tagSet><item><key>icecore:run</key><value>r</value>"
                 "</item></tagSet></item></snapshotSet></CreateSnapshotsResponse>")};
  const auto made = ec2_.create_snapshots(
      {.instance_id = "i-1", .description = "Forensics", .tags = {{"icecore:run", "r"}, {"Name", "a b"}}, .exclude_volumes = {"vol-9"}});
  ICECORE_ASSERT_OK(made);
  ASSERT_EQ(made->value.size(), 1U);
  EXPECT_EQ(made->value[0].state, "pending");
  EXPECT_EQ(made->value[0].start_time->nanoseconds, 123'000'000U);
  EXPECT_EQ(
      body(0),
      "Action=CreateSnapshots&Version=2016-11-15&InstanceSpecification.InstanceId=i-1&InstanceSpecification.ExcludeDataVolumeId.1=vol-9"
      "&Description=Forensics&TagSpecification.1.ResourceType=snapshot&TagSpecification.1.Tag.1.Key=icecore%3Arun&TagSpecification.1.Tag.1.Value=r"
      "&TagSpecification.1.Tag.2.Key=Name&TagSpecification.1.Tag.2.Value=a%20b");
  EXPECT_TRUE(observer_.records.at(0).mutating());
}

TEST_F(Ec2Test, ADryRunThatIsAllowedIsASuccessAndChangesNothing) {
  answers_ = {text_reply(412, "<Response><Errors><Error><Code>DryRunOperation</Code><Message>would have</Message></Error></Errors></Response>")};
  const auto would = ec2_.create_snapshots({.instance_id = "i-1", .dry_run = true});
  ICECORE_ASSERT_OK(would);
  EXPECT_NE(body(0).find("&DryRun=true"), std::string::npos);
  EXPECT_FALSE(observer_.records.at(0).mutating());
  EXPECT_TRUE(observer_.outcomes.at(0).succeeded);
  answers_ = {text_reply(403, "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>")};
  const auto may_not = ec2_.create_snapshots({.instance_id = "i-1", .dry_run = true});
  ICECORE_EXPECT_CODE(may_not, Code::kPermission);
}

TEST_F(Ec2Test, VolumesAndInstancesNeedAClientToken) {
  const auto volume = ec2_.create_volume({.availability_zone = "us-west-2a", .snapshot_id = "snap-1"});
  ICECORE_EXPECT_CODE(volume, Code::kInvalidArgument);
  const auto instance = ec2_.run_instances(Parameters().set("ImageId", "ami-1"));
  ICECORE_EXPECT_CODE(instance, Code::kInvalidArgument);
  EXPECT_EQ(sent(), 0U);
}

TEST_F(Ec2Test, UserDataIsNotRecorded) {
  answers_ = {text_reply(200, "<RunInstancesResponse><instancesSet><item><instanceId>i-9</instanceId></item></instancesSet></RunInstancesResponse>")};
  const auto made = ec2_.run_instances(Parameters().set("ClientToken", "t").set("UserData", "c2VjcmV0"));
  ICECORE_ASSERT_OK(made);
  EXPECT_EQ(made->value.id, "i-9");
  for (const NameValue& one : observer_.records.at(0).parameters) EXPECT_EQ(one.value.find("c2VjcmV0"), std::string::npos);
}

TEST_F(Ec2Test, ConsoleOutputIsDecodedRaw) {
  const std::string text("\x1b[31mboot\r\n\0end", 15);
  answers_ = {text_reply(200, "<GetConsoleOutputResponse><timestamp>2026-11-24T08:43:26Z</timestamp><output>" + to_base64(as_bytes(text)) +
                                  "\n</output></GetConsoleOutputResponse>")};
  const auto output = ec2_.get_console_output("i-1", true);
  ICECORE_ASSERT_OK(output);
  EXPECT_EQ(output->value.text, text);
  EXPECT_NE(body(0).find("Latest=true"), std::string::npos);
}

TEST_F(Ec2Test, GarbageIsAnErrorNotACrash) {
  for (const std::string& garbage : std::vector<std::string>{"", "not xml", "<a", "<a><b></a>", std::string(2, '\0')}) {
    answers_ = {text_reply(200, garbage)};
    EXPECT_FALSE(ec2_.describe_volumes({.ids = {"vol-1"}}).has_value()) << garbage;
  }
}

}  // namespace
}  // namespace icecore::aws
