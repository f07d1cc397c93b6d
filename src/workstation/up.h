// `icecore workstation up`: the forensics instance, with a security group and a way in of its own.
#pragma once

#include <optional>
#include <string>

#include "workstation/machine.h"

namespace icecore::workstation {

enum class Outbound { kNone, kWeb, kAll };

struct UpOptions {
  std::string image;  ///< ami-…, or the name of an SSM public parameter ("/aws/service/…"); empty: Debian 12 of the type's architecture
  std::string type = "m6i.large";
  std::optional<std::string> subnet, zone, vpc;  ///< where; absent: the default VPC, a zone that offers the type
  std::optional<std::string> key_pair;           ///< an existing pair's name
  std::optional<std::string> public_key;         ///< a line as in authorized_keys: imported, and removed by down
  bool systems_manager = true;                   ///< false: no profile; then a key is needed
  std::optional<std::string> profile;            ///< an existing instance profile's name instead of one of its own
  std::optional<std::string> inbound;            ///< the one CIDR, IPv4 or IPv6, that may reach SSH
  Outbound outbound = Outbound::kWeb;
  bool public_address = false;
  std::string tools = "standard";             ///< "none", "standard", "full"
  std::optional<std::string> icecore_url;     ///< where the workstation fetches icecore from …
  std::optional<std::string> icecore_sha256;  ///< … and what it must hash to
  std::uint64_t disk_gib = 0;                 ///< root volume; 0: the image's own size
  Patience patience;
};

/// What can be said without asking AWS: kInvalidArgument for 0.0.0.0/0 and ::/0 and what is no CIDR, no way in at all, unknown tool sets, …
Result<void> check_options(const UpOptions& options);

/// What of the account the launch will use; found by reading only.
struct LaunchPlan {
  aws::Image image;
  aws::InstanceType type;
  std::vector<aws::Subnet> subnets;  ///< one a zone, in the order in which they are tried
};
Result<LaunchPlan> plan_launch(CaseAccount& account, const UpOptions& options);

struct Launched {
  aws::Instance instance;
  bool was_there = false;
  std::vector<std::string> ways_in;
};

/// Idempotent: what is there already is used, whoever was killed in between.
Result<Launched> up(CaseAccount& account, const UpOptions& options);

/// RunInstances' parameters, without token and tags; also for DryRun.
aws::Parameters launch_parameters(const CaseAccount& account, const UpOptions& options, const LaunchPlan& plan, const aws::Subnet& subnet,
                                  const std::string& group, const std::string& profile, const std::string& key);

}  // namespace icecore::workstation
