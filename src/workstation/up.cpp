#include "workstation/up.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/hash.h"
#include "engine/instance_record.h"
#include "workstation/access.h"
#include "workstation/resources.h"
#include "workstation/user_data.h"
#include "workstation/waiting.h"

namespace icecore::workstation {
namespace {

constexpr std::int64_t kProfileSeconds = 90;

bool is_no_room(const aws::ServiceError& error) {
  return error.aws_code.starts_with("Insufficient") || error.aws_code == "Unsupported" || error.aws_code == "UnsupportedOperation";
}

// IAM takes a while to show EC2 a new profile.
bool is_new_profile(const aws::ServiceError& error) { return error.message.find("Invalid IAM Instance Profile") != std::string::npos; }

Error explained(const aws::ServiceError& error, const UpOptions& options, const std::vector<std::string>& tried) {
  Error out = error;
  if (error.aws_code.ends_with("LimitExceeded"))
    out.message += fmt::format(". The account's quota is reached: ask for more in Service Quotas, stop something, or give a smaller --type than {}",
                               options.type);
  if (is_no_room(error))
    out.message += fmt::format(". No zone took it (tried {}): try again later, or another --type, --zone or --subnet", fmt::join(tried, ", "));
  if (error.aws_code == "InvalidKeyPair.NotFound") out.message += ". --public-key FILE imports a key of yours";
  return out;
}

/// One try in one subnet. Its parameters are the same whenever it is tried again, which the ClientToken insists on.
aws::CallResult<std::string> launch_in(CaseAccount& account, const UpOptions& options, const LaunchPlan& plan, const aws::Subnet& subnet) {
  ICECORE_CALL(const std::string group, ensure_group(account, options, subnet.vpc_id));
  ICECORE_CALL(const std::string profile, ensure_profile(account, options));
  ICECORE_CALL(const std::string key, ensure_key(account, options));
  Making making{.kind = "instance", .subject = std::string(kInstanceSubject), .has_token = true, .find = nullptr, .create = nullptr};
  making.find = [&]() -> Result<std::vector<std::string>> {
    ICECORE_ASSIGN(const auto found, account.instances());
    std::vector<std::string> ids;
    for (const aws::Instance& one : found)
      if (one.state != "shutting-down") ids.push_back(one.id);
    return ids;
  };
  making.create = [&](const std::string& token, const aws::Tags& tags) -> aws::CallResult<std::string> {
    aws::Parameters parameters = launch_parameters(account, options, plan, subnet, group, profile, key);
    parameters.set("ClientToken", token);
    for (const char* type : {"instance", "volume", "network-interface"}) parameters.tag_specification(type, tags);
    Waiting waiting(account.workspace(), {kProfileSeconds * 1000});
    while (true) {
      auto made = account.ec2().run_instances(parameters);
      if (made) return made->value.id;
      if (!is_new_profile(made.error())) return aws::CallFailure(std::move(made).error());
      ICECORE_CHECK(waiting.pause("EC2 does not know the instance profile " + profile, made.error().message));
    }
  };
  return make_once(account, making);
}

Result<std::string> launch(CaseAccount& account, const UpOptions& options) {
  ICECORE_ASSIGN(const LaunchPlan plan, plan_launch(account, options));
  std::vector<std::string> tried;
  for (std::size_t i = 0;; ++i) {
    const aws::Subnet& subnet = plan.subnets[i];
    tried.push_back(subnet.availability_zone);
    account.workspace().say(fmt::format("launching {} from {} in {}", options.type, plan.image.id, subnet.availability_zone));
    auto made = launch_in(account, options, plan, subnet);
    if (made) return std::move(*made);
    if (!is_no_room(made.error()) || i + 1 == plan.subnets.size()) return Failure(explained(made.error(), options, tried));
    account.workspace().say(fmt::format("{} has no room for it; trying {}", subnet.availability_zone, plan.subnets[i + 1].availability_zone));
  }
}

// The evidence has to be there, and in the region where the workstation will stand.
Result<void> check_evidence(CaseAccount& account) {
  ICECORE_ASSIGN(const auto snapshots, engine::snapshots_of(account.workspace().folder()));
  if (snapshots.empty())
    return fail(Code::kConflict, fmt::format("the case {} has no snapshots to look at; icecore collect --case {} i-… takes them",
                                             account.workspace().folder().path().string(), account.workspace().folder().path().string()));
  for (const engine::SnapshotRecord& snapshot : snapshots)
    if (snapshot.region != account.region())
      return fail(Code::kConflict, fmt::format("the evidence {} is in {}, and a workstation in {} could not use it; give --region {}",
                                               snapshot.snapshot, snapshot.region, account.region(), snapshot.region));
  return {};
}

Result<Launched> ready(CaseAccount& account, const Machine& machine, bool was_there, Patience patience) {
  if (machine.has_profile()) ICECORE_CHECK(wait_until_managed(account, machine, patience));
  return Launched{machine.described(), was_there, ways_in(account, machine)};
}

}  // namespace

aws::Parameters launch_parameters(const CaseAccount& account, const UpOptions& options, const LaunchPlan& plan, const aws::Subnet& subnet,
                                  const std::string& group, const std::string& profile, const std::string& key) {
  aws::Parameters parameters;
  parameters.set("ImageId", plan.image.id).set("InstanceType", options.type).set("MinCount", "1").set("MaxCount", "1");
  parameters.set("NetworkInterface.1.DeviceIndex", "0").set("NetworkInterface.1.SubnetId", subnet.id);
  parameters.set("NetworkInterface.1.AssociatePublicIpAddress", options.public_address ? "true" : "false");
  if (!group.empty()) parameters.set("NetworkInterface.1.SecurityGroupId.1", group);
  parameters.set("MetadataOptions.HttpTokens", "required").set("MetadataOptions.HttpPutResponseHopLimit", "1");
  parameters.set("MetadataOptions.HttpEndpoint", "enabled");
  const std::string root = plan.image.root_device_name.empty() ? "/dev/xvda" : plan.image.root_device_name;
  parameters.set("BlockDeviceMapping.1.DeviceName", root).set("BlockDeviceMapping.1.Ebs.Encrypted", "true");
  parameters.set("BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true").set("BlockDeviceMapping.1.Ebs.VolumeType", "gp3");
  if (options.disk_gib > 0) parameters.set("BlockDeviceMapping.1.Ebs.VolumeSize", std::to_string(options.disk_gib));
  if (!profile.empty()) parameters.set("IamInstanceProfile.Name", profile);
  if (!key.empty()) parameters.set("KeyName", key);
  parameters.set("UserData", to_base64(as_bytes(user_data(options, account.region()))));
  parameters.set("InstanceInitiatedShutdownBehavior", "stop");
  return parameters;
}

Result<Launched> up(CaseAccount& account, const UpOptions& options) {
  ICECORE_CHECK(check_options(options));
  ICECORE_CHECK(check_evidence(account));
  ICECORE_ASSIGN(auto there, account.instances());
  std::erase_if(there, [](const aws::Instance& one) { return one.state == "shutting-down"; });
  // An earlier run may have been killed before its ledger learnt of the instance; then making it once adopts it.
  const bool known = !there.empty() && !is_unfinished(account, kInstanceSubject);
  if (known) {
    ICECORE_ASSIGN(const Machine machine, running_machine(account));
    return ready(account, machine, true, options.patience);
  }
  ICECORE_ASSIGN(const std::string id, launch(account, options));
  ICECORE_ASSIGN(const Machine machine, wait_until_running(account, id, options.patience));
  return ready(account, machine, false, options.patience);
}

}  // namespace icecore::workstation
