// A small account for icecore-lab: one instance with two volumes, an older snapshot, a trail, three principals. Written fresh for each test.
#pragma once

#include <cstdlib>
#include <fstream>
#include <memory>

#include "aws/session.h"
#include "core/json.h"
#include "server_process.h"

namespace icecore::aws::test_support {

inline constexpr const char* kInstance = "i-0123456789abcdef0";
inline constexpr const char* kRootVolume = "vol-0000000000000000a";
inline constexpr const char* kDataVolume = "vol-0000000000000000b";
inline constexpr const char* kOldSnapshot = "snap-00000000000000001";
inline constexpr std::uint64_t kRootBlocks[] = {0, 1, 5, 100, 2047};

inline char letter_of(std::uint64_t block) { return static_cast<char>('a' + block % 26); }

inline void write_disk(const std::filesystem::path& path) {
  std::ofstream out(path, std::ios::binary);
  for (const std::uint64_t block : kRootBlocks) {
    out.seekp(static_cast<std::streamoff>(block * kBlockBytes));
    out << std::string(kBlockBytes, letter_of(block));
  }
  out.close();
  std::filesystem::resize_file(path, std::uint64_t{1} << 30);
}

constexpr const char* kWorld = R"({
 "format": "icecore-lab-world/1", "now": "2026-11-24T08:43:26Z", "region": "us-west-2", "account": "111122223333",
 "zones": [{"ZoneName": "us-west-2a", "ZoneId": "usw2-az1"}, {"ZoneName": "us-west-2b", "ZoneId": "usw2-az2"}],
 "principals": [
  {"Arn": "arn:aws:iam::111122223333:user/responder", "UserId": "AIDA1", "Account": "111122223333", "Type": "user",
   "_access_keys": [{"AccessKeyId": "AKIARESPONDER", "SecretAccessKey": "s/+1"}]},
  {"Arn": "arn:aws:iam::111122223333:user/reader", "UserId": "AIDA2", "Account": "111122223333", "Type": "user",
   "_access_keys": [{"AccessKeyId": "AKIAREADER", "SecretAccessKey": "s2"}],
   "_policies": [{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}]},
  {"Arn": "arn:aws:sts::111122223333:assumed-role/x/expired", "UserId": "AROA1:expired", "Account": "111122223333", "Type": "assumed-role",
   "_access_keys": [{"AccessKeyId": "ASIAEXPIRED", "SecretAccessKey": "s3", "SessionToken": "t3", "Expiration": "2020-01-01T00:00:00Z"}]}],
 "roles": [{"Arn": "arn:aws:iam::111122223333:role/forensics", "RoleId": "AROA2", "_trusts": ["arn:aws:iam::111122223333:user/responder"]}],
 "vpcs": [{"VpcId": "vpc-0000000000000000c", "CidrBlock": "10.0.0.0/16", "State": "available", "IsDefault": true}],
 "subnets": [{"SubnetId": "subnet-0000000000000000d", "VpcId": "vpc-0000000000000000c", "AvailabilityZone": "us-west-2a", "CidrBlock": "10.0.1.0/24", "DefaultForAz": true, "State": "available",
   "AvailableIpAddressCount": 250, "MapPublicIpOnLaunch": true}],
 "security_groups": [{"GroupId": "sg-0000000000000000e", "GroupName": "web", "Description": "web", "VpcId": "vpc-0000000000000000c", "OwnerId": "111122223333", "IpPermissions": [],
   "IpPermissionsEgress": []}],
 "network_interfaces": [{"NetworkInterfaceId": "eni-0000000000000000f", "SubnetId": "subnet-0000000000000000d", "VpcId": "vpc-0000000000000000c", "AvailabilityZone": "us-west-2a", "Status": "in-use",
   "PrivateIpAddress": "10.0.1.9", "Groups": [{"GroupId": "sg-0000000000000000e", "GroupName": "web"}],
   "Attachment": {"InstanceId": "i-0123456789abcdef0", "AttachmentId": "eni-attach-1", "DeviceIndex": 0, "Status": "attached"}}],
 "key_pairs": [{"KeyPairId": "key-1", "KeyName": "k", "KeyType": "rsa"}],
 "images": [{"ImageId": "ami-00000000000000010", "Name": "debian", "State": "available", "OwnerId": "111122223333", "Architecture": "x86_64", "Public": false,
   "RootDeviceName": "/dev/xvda", "RootDeviceType": "ebs", "VirtualizationType": "hvm", "Hypervisor": "xen", "CreationDate": "2026-01-02T03:04:05.000Z",
   "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-00000000000000001", "VolumeSize": 1, "VolumeType": "gp3",
     "DeleteOnTermination": true}}]}],
 "launch_templates": [], "iam_instance_profile_associations": [],
 "instance_types": [{"InstanceType": "t3.small", "Hypervisor": "nitro", "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
   "_zones": ["us-west-2a"], "_price_hour": 0.02}],
 "instances": [{"InstanceId": "i-0123456789abcdef0", "ImageId": "ami-00000000000000010", "InstanceType": "t3.small", "KeyName": "k", "LaunchTime": "2026-11-01T00:00:00Z",
   "State": {"Code": 16, "Name": "running"}, "Placement": {"AvailabilityZone": "us-west-2a"}, "Architecture": "x86_64", "RootDeviceName": "/dev/xvda",
   "RootDeviceType": "ebs", "SubnetId": "subnet-0000000000000000d", "VpcId": "vpc-0000000000000000c", "PrivateIpAddress": "10.0.1.9", "Hypervisor": "xen", "VirtualizationType": "hvm",
   "SecurityGroups": [{"GroupId": "sg-0000000000000000e", "GroupName": "web"}],
   "BlockDeviceMappings": [
    {"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-0000000000000000a", "Status": "attached", "DeleteOnTermination": true}},
    {"DeviceName": "/dev/sdf", "Ebs": {"VolumeId": "vol-0000000000000000b", "Status": "attached", "DeleteOnTermination": false}}],
   "NetworkInterfaces": [], "Tags": [{"Key": "Name", "Value": "web <&> \"1\""}], "_user_data": "I2Nsb3VkLWNvbmZpZwo=", "_console_output": "console.txt",
   "_console_screenshot": "console.jpg", "_attributes": {"disableApiTermination": false}}],
 "volumes": [
  {"VolumeId": "vol-0000000000000000a", "Size": 1, "State": "in-use", "AvailabilityZone": "us-west-2a", "VolumeType": "gp3", "Encrypted": false,
   "CreateTime": "2026-11-01T00:00:00Z", "_image": "root.raw",
   "Attachments": [{"VolumeId": "vol-0000000000000000a", "InstanceId": "i-0123456789abcdef0", "Device": "/dev/xvda", "State": "attached"}]},
  {"VolumeId": "vol-0000000000000000b", "Size": 1, "State": "in-use", "AvailabilityZone": "us-west-2a", "VolumeType": "gp3", "Encrypted": false,
   "CreateTime": "2026-11-01T00:00:00Z", "_image": "root.raw",
   "Attachments": [{"VolumeId": "vol-0000000000000000b", "InstanceId": "i-0123456789abcdef0", "Device": "/dev/sdf", "State": "attached"}]}],
 "snapshots": [{"SnapshotId": "snap-00000000000000001", "VolumeId": "vol-0000000000000000a", "VolumeSize": 1, "OwnerId": "111122223333", "State": "completed",
   "Progress": "100%", "StartTime": "2026-11-02T00:00:00Z", "Description": "old", "_image": "root.raw"}],
 "trails": [],
 "cloudtrail_events": []
})";

/// Three events a resource, so that pages follow pages.
inline Json trail_events() {
  Json events = Json::array();
  for (int i = 0; i < 7; ++i) {
    const std::string id = "event-" + std::to_string(i);
    events.push_back({{"EventId", id},
                      {"EventName", i == 0 ? "RunInstances" : "AuthorizeSecurityGroupIngress"},
                      {"EventTime", "2026-11-2" + std::to_string(i % 4) + "T00:00:0" + std::to_string(i) + "Z"},
                      {"EventSource", "ec2.amazonaws.com"},
                      {"Username", "mallory"},
                      {"ReadOnly", "false"},
                      {"AccessKeyId", "AKIASTOLEN"},
                      {"Resources", Json::array({{{"ResourceType", "AWS::EC2::Instance"}, {"ResourceName", kInstance}}})},
                      {"CloudTrailEvent", "{\"eventID\":\"" + id + "\"}"}});
  }
  return events;
}

/// The lab over that world, and sessions with it.
class RunningLab {
 public:
  explicit RunningLab(std::vector<std::string> options = {}) {
    write_disk(scratch_ / "root.raw");
    std::ofstream(scratch_ / "console.txt") << "login: \x1b[2J\n";
    std::ofstream(scratch_ / "console.jpg") << "\xFF\xD8\xFFjpeg";
    Json world = Json::parse(kWorld);
    world["cloudtrail_events"] = trail_events();
    std::ofstream(scratch_ / "world.json") << world.dump(1);
    const char* program = std::getenv("ICECORE_LAB");
    EXPECT_NE(program, nullptr) << "these tests need icecore-lab: run them by ctest, or set ICECORE_LAB to the program";
    std::vector<std::string> words = {program == nullptr ? "false" : program, "--world", scratch_.path().string(), "--port-file", "{PORT_FILE}"};
    tls_ = std::find(options.begin(), options.end(), "--tls") != options.end();
    if (tls_) options.insert(options.end(), {"--tls-dir", scratch_.path().string()});
    words.insert(words.end(), options.begin(), options.end());
    process_ = std::make_unique<ServerProcess>(words);
  }

  std::string origin() const { return process_->origin(tls_ ? "https" : "http"); }
  const test::ScratchFolder& folder() const { return scratch_; }
  /// The CA that signed the lab's certificate.
  std::string authority() const { return (scratch_ / "lab-ca.pem").string(); }

  std::map<std::string, std::string, std::less<>> variables(const std::string& key = "AKIARESPONDER", const std::string& secret = "s/+1") const {
    return {{"HOME", scratch_.path().string()},    {"AWS_ENDPOINT_URL", origin()}, {"AWS_REGION", "us-west-2"},
            {"AWS_EC2_METADATA_DISABLED", "true"}, {"AWS_ACCESS_KEY_ID", key},     {"AWS_SECRET_ACCESS_KEY", secret}};
  }

  std::unique_ptr<Session> session(CallObserver& observer = no_observer()) const { return session(variables(), {}, observer); }
  std::unique_ptr<Session> session(std::map<std::string, std::string, std::less<>> variables, const Flags& flags,
                                   CallObserver& observer = no_observer()) const {
    auto opened = Session::open(flags, fixed_environment(std::move(variables)), observer);
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : to_string(opened.error()));
    return opened ? std::move(*opened) : nullptr;
  }

  /// The lab's own view of the account.
  Json state() const { return control("GET", "/_lab/state", ""); }
  Json set_faults(const Json& faults) const { return control("PUT", "/_lab/faults", faults.dump()); }

 private:
  Json control(const std::string& method, const std::string& path, const std::string& body) const {
    const auto transport = make_curl_transport({.ca_bundle = tls_ ? authority() : ""});
    const HttpResult reply = transport->send({.method = method, .origin = origin(), .path = path, .body = body});
    EXPECT_TRUE(reply.has_value()) << path;
    return reply ? Json::parse(as_text(reply->body)) : Json();
  }

  test::ScratchFolder scratch_;
  bool tls_ = false;
  std::unique_ptr<ServerProcess> process_;
};

}  // namespace icecore::aws::test_support
