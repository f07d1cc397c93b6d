// `--dry-run` of the commands about the workstation: calls, resources, cost and IAM actions, held against EC2's own DryRun. Reads only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws/operations.h"
#include "workstation/attach.h"
#include "workstation/down.h"
#include "workstation/share.h"
#include "workstation/up.h"

namespace icecore::workstation {

struct Plan {
  std::vector<aws::PlannedCall> calls;
  std::vector<std::string> creates, removes;  ///< in words
  std::vector<std::string> checks;            ///< what EC2's DryRun said
  double dollars_per_hour = 0;                ///< of what is made
  std::vector<std::string> remarks;           ///< prices that are not known, and the like
};

Result<Plan> plan_up(CaseAccount& account, const UpOptions& options);
Result<Plan> plan_attach(CaseAccount& account, const AttachOptions& options);
Result<Plan> plan_reset(CaseAccount& account, const ResetOptions& options);
Result<Plan> plan_removal(CaseAccount& account);
Result<Plan> plan_share(CaseAccount& account, const ShareOptions& options);

}  // namespace icecore::workstation
