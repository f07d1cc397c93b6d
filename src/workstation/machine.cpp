#include "workstation/machine.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/interrupt.h"
#include "workstation/waiting.h"

namespace icecore::workstation {

Result<Machine> running_machine(CaseAccount& account) {
  ICECORE_ASSIGN(auto found, account.instances());
  std::erase_if(found, [](const aws::Instance& one) { return one.state == "shutting-down"; });
  const std::string folder = account.workspace().folder().path().string();
  if (found.empty())
    return fail(Code::kNotFound, fmt::format("this case has no workstation in {}; make one: icecore workstation up {}", account.region(), folder));
  Machine machine(std::move(found.front()));
  if (machine.is_running()) return machine;
  if (machine.described().state == "pending") return wait_until_running(account, machine.id(), {});
  return fail(Code::kConflict, fmt::format("the workstation {} is {}; start it (aws ec2 start-instances --instance-ids {}) or take it down: icecore "
                                           "workstation down {}",
                                           machine.id(), machine.described().state, machine.id(), folder));
}

Result<Machine> wait_until_running(CaseAccount& account, const std::string& instance, Patience patience) {
  account.workspace().progress().begin("waiting for the workstation to run", 0, "s");
  Waiting waiting(account.workspace(), patience);
  while (true) {
    ICECORE_ASSIGN(auto found, plain(account.ec2().describe_instances({.ids = {instance}})));
    if (found.items.empty()) return fail(Code::kNotFound, fmt::format("{} is not there any more", instance));
    const aws::Instance& now = found.items.front();
    if (now.state == "running") {
      account.workspace().progress().end();
      return Machine(now);
    }
    if (now.state != "pending")
      return fail(Code::kRemote,
                  fmt::format("the workstation {} is {} instead of running{}. Running up again makes another; its console output may say "
                              "more: aws ec2 get-console-output --instance-id {}",
                              instance, now.state, now.state_reason.empty() ? "" : " (" + now.state_reason + ")", instance));
    ICECORE_CHECK(waiting.pause(fmt::format("{} is still pending", instance), "see its state in the console, then run the same command again"));
  }
}

Result<void> wait_until_managed(CaseAccount& account, const Machine& machine, Patience patience) {
  account.workspace().progress().begin("waiting until Systems Manager reaches the workstation", 0, "s");
  Waiting waiting(account.workspace(), patience);
  for (int round = 1;; ++round) {
    ICECORE_ASSIGN(const std::string status, plain(account.ssm().ping_status(machine.id())));
    if (status == "Online") break;
    // An instance that was terminated under our hands never comes online.
    if (round % 4 == 0) ICECORE_CHECK(wait_until_running(account, machine.id(), patience));
    ICECORE_CHECK(waiting.pause(
        fmt::format("Systems Manager does not reach {} ({})", machine.id(), status.empty() ? "it has not registered" : status),
        "it needs an agent in the image and a way out to the SSM endpoints (a public address with --public-ip, a NAT gateway or VPC endpoints); or "
        "use SSH, or attach --print-script"));
  }
  account.workspace().progress().end();
  return {};
}

std::vector<std::string> ways_in(const CaseAccount& account, const Machine& machine) {
  std::vector<std::string> ways;
  if (machine.has_profile()) ways.push_back(fmt::format("aws ssm start-session --region {} --target {}", account.region(), machine.id()));
  const aws::Instance& instance = machine.described();
  if (!instance.key_name.empty()) {
    const std::string host = instance.public_ip.empty() ? instance.private_ip : instance.public_ip;
    ways.push_back(fmt::format("ssh admin@{}   (key pair {}; the user is the image's own: admin, ec2-user, ubuntu)", host, instance.key_name));
  }
  return ways;
}

}  // namespace icecore::workstation
