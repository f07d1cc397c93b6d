// The one table of AWS operations that the program makes: what each may do, costs and needs. Plans (`--dry-run`), `icecore policy`, the retry rule
// and the cost display all read it. Service models: botocore data ec2/2016-11-15, ebs/2019-11-02, cloudtrail/2013-11-01, sts/2011-06-15.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::aws {

struct Operation {
  std::string_view service;     ///< endpoint prefix and signing name: "ec2"
  std::string_view name;        ///< "CreateSnapshots"
  std::string_view iam_action;  ///< "ec2:CreateSnapshots"; empty: none is needed (GetCallerIdentity)
  std::string_view also_needs;  ///< further IAM actions, space-separated ("ec2:CreateTags kms:Decrypt"), as the parameters may have it
  std::string_view bucket;      ///< calls of one bucket share a rate limit: "ebs.get"
  bool mutating = false;        ///< changes the account
  bool repeatable = true;    ///< may be sent again when the first one's outcome is unknown (reads, and writes with ClientToken or of one end state)
  bool high_volume = false;  ///< thousands a run: observers get summaries
  double dollars_per_thousand = 0;  ///< US example price of the call itself
  std::uint32_t page_size = 0;      ///< MaxResults to ask for; 0: the call does not page
  double calls_per_second = 0;      ///< paced to this from the start; 0: only slowed when throttled
};

/// All of them, by service and name.
std::span<const Operation> operations();

/// Precondition: it is in the table (our bug otherwise: aborts).
const Operation& operation(std::string_view service, std::string_view name);
const Operation* find_operation(std::string_view service, std::string_view name);

/// One step of a `--dry-run` plan.
struct PlannedCall {
  const Operation* operation = nullptr;
  std::uint64_t count = 1;   ///< an estimate where the plan cannot know
  std::string purpose = {};  ///< "list the written blocks of snap-…"
};

double cost_dollars(const Operation& operation, std::uint64_t count);
double cost_dollars(std::span<const PlannedCall> plan);
/// The IAM actions of these calls, sorted, without repeats: the least policy.
std::vector<std::string> iam_actions(std::span<const PlannedCall> plan);

}  // namespace icecore::aws
