// The workstation as EC2 describes it. A zone is not text here: it can only be had from a described instance, so a copy of the evidence cannot be
// asked for in any other zone than the workstation's own.
#pragma once

#include <string>
#include <vector>

#include "workstation/case_account.h"

namespace icecore::workstation {

/// An availability zone that EC2 itself named for the workstation.
class Zone {
 public:
  const std::string& name() const { return name_; }

 private:
  friend class Machine;
  explicit Zone(std::string name) : name_(std::move(name)) {}
  std::string name_;
};

class Machine {
 public:
  explicit Machine(aws::Instance instance) : instance_(std::move(instance)), zone_(instance_.availability_zone) {}
  const std::string& id() const { return instance_.id; }
  const Zone& zone() const { return zone_; }
  const aws::Instance& described() const { return instance_; }
  bool is_running() const { return instance_.state == "running"; }
  bool has_profile() const { return !instance_.instance_profile_arn.empty(); }

 private:
  aws::Instance instance_;
  Zone zone_;
};

/// The case's workstation. kNotFound where there is none ("run up"), kConflict where it is not running.
Result<Machine> running_machine(CaseAccount& account);

/// How long to wait for a state before giving up with an error that says what to do; the command can be run again.
struct Patience {
  std::int64_t milliseconds = 600'000;
};

/// Waits until it runs, with progress. kRemote where it ends instead, with EC2's reason.
Result<Machine> wait_until_running(CaseAccount& account, const std::string& instance, Patience patience);

/// Waits until Systems Manager can reach it. kNetwork when that does not happen in time.
Result<void> wait_until_managed(CaseAccount& account, const Machine& machine, Patience patience);

/// "ssh -i … admin@…" and the like, and how to get a shell without SSH.
std::vector<std::string> ways_in(const CaseAccount& account, const Machine& machine);

}  // namespace icecore::workstation
