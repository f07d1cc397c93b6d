// What a command about the forensics instance works with: the case, the clients of its region, and the tags by which the account remembers what the
// case made. No second state is kept anywhere: the ledger says what was made, the account says what is there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/session.h"
#include "engine/workspace.h"

namespace icecore::workstation {

// Values of the tag icecore:subject, one a kind of thing.
inline constexpr std::string_view kInstanceSubject = "workstation";
inline constexpr std::string_view kGroupSubject = "workstation-group";
inline constexpr std::string_view kKeySubject = "workstation-key";
inline constexpr std::string_view kRoleSubject = "workstation-role";
inline constexpr std::string_view kProfileSubject = "workstation-profile";

/// Not thread-safe. Refers to the workspace, which outlives it.
class CaseAccount {
 public:
  /// Asks who we are and binds the case to account and region (kConflict for another's). Without a case it is good for a plan: its ledger, and what
  /// was made, are only of one that has a case.
  static Result<CaseAccount> open(engine::Workspace& workspace);

  engine::Workspace& workspace() const { return *workspace_; }
  evidence::Ledger& ledger() const { return workspace_->folder().ledger(); }
  const std::string& account() const { return account_; }
  const std::string& region() const { return ec2_.region(); }
  const std::string& case_id() const { return case_id_; }
  /// "icecore-case-…": of group, profile and key.
  std::string resource_name() const { return "icecore-" + case_id_; }
  /// Of the role: not the profile's name, since the ledger's `removed` goes by id alone.
  std::string role_name() const { return resource_name() + "-role"; }

  aws::Ec2& ec2() const { return ec2_; }
  aws::Ssm& ssm() const { return ssm_; }
  aws::Iam& iam() const { return iam_; }
  aws::Kms& kms() const { return kms_; }

  /// The tags of what this run makes.
  aws::Tags tags(std::string_view subject) const;
  /// Filters for what the case made; with an empty subject: all of it.
  std::vector<aws::Filter> filters(std::string_view subject) const;

  Result<std::vector<aws::Instance>> instances() const;  ///< workstations that are not terminated
  Result<std::vector<aws::Volume>> volumes(std::string_view subject = "") const;
  Result<std::vector<aws::SecurityGroup>> groups() const;
  Result<std::vector<aws::KeyPair>> keys() const;

 private:
  CaseAccount(engine::Workspace& workspace, std::string account, std::string case_id, aws::Ec2 ec2, aws::Ssm ssm, aws::Iam iam, aws::Kms kms)
      : workspace_(&workspace),
        account_(std::move(account)),
        case_id_(std::move(case_id)),
        ec2_(std::move(ec2)),
        ssm_(std::move(ssm)),
        iam_(std::move(iam)),
        kms_(std::move(kms)) {}

  engine::Workspace* workspace_;
  std::string account_, case_id_;
  mutable aws::Ec2 ec2_;
  mutable aws::Ssm ssm_;
  mutable aws::Iam iam_;
  mutable aws::Kms kms_;
};

/// The value of a call, or its error without the service's facts.
template <typename T>
Result<T> plain(aws::CallResult<T> result) {
  if (!result) return Failure(static_cast<const Error&>(result.error()));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return std::move(*result);
  }
}

}  // namespace icecore::workstation
