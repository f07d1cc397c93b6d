// Snapshots from elsewhere: of another account, public, in another region, or under a key that only this account may use. EBS direct reads none of
// these, and a workstation uses few of them, so each is copied into the account and region of the case.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "workstation/case_account.h"

namespace icecore::workstation {

struct CopyOptions {
  std::optional<std::string> source_region;  ///< where the snapshot is; absent: the case's region
  std::optional<std::string> kms_key;        ///< the key for the copy; absent: one is made for the case where one is needed
  bool reencrypt = false;                    ///< copy even what could be read as it is
};

/// The copy of a snapshot from elsewhere that the case made and still has, as its ledger tells; asks nobody.
std::optional<std::string> copy_in_ledger(const evidence::Ledger& ledger, const std::string& snapshot);

/// The id of a snapshot that the case can use: the named one where it is the account's own and here, else a copy (made once, evidence, waited for by
/// whoever adopts it).
Result<std::string> local_snapshot(CaseAccount& account, const std::string& snapshot, const CopyOptions& options);

struct PlannedCopy {
  std::string words;       ///< "a copy of snap-… in us-west-2, since …"
  bool needs_key = false;  ///< a customer key, which may have to be made
};
/// What local_snapshot would make; absent: nothing. Reads only, and needs no case.
Result<std::optional<PlannedCopy>> plan_local_snapshot(CaseAccount& account, const std::string& snapshot, const CopyOptions& options);

/// The id of a customer key for this case: the named one, or one that is made once (and never removed: the evidence depends on it).
Result<std::string> customer_key(CaseAccount& account, const std::optional<std::string>& named);

}  // namespace icecore::workstation
