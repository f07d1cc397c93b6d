// `icecore share`: another account may use the evidence snapshots; and their lock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "workstation/elsewhere.h"

namespace icecore::workstation {

struct ShareOptions {
  std::vector<std::string> accounts;  ///< 12 digits each
  std::optional<std::string> kms_key;
  std::string lock_mode;  ///< "governance", "compliance", or empty: no lock
  int lock_days = 0;
  Result<void> check() const;  ///< kInvalidArgument
};

struct Shared {
  struct One {
    std::string snapshot, copy_of, key;  ///< key: the customer key that encrypts it, which the other account has to be allowed to use
  };
  std::vector<One> snapshots;
  std::vector<std::string> locked;
  std::vector<std::string> remarks;  ///< what the user has to do beside it
};

/// Shares (where accounts are named) and locks (where a mode is). What the default key encrypts is copied under a customer key first, and the copy is
/// shared. Only ever adds rights, and never to everyone.
Result<Shared> share(CaseAccount& account, const ShareOptions& options);

/// The copy that would be shared in place of a snapshot; absent: the snapshot itself is. Reads only.
Result<std::optional<PlannedCopy>> plan_shareable(CaseAccount& account, const std::string& snapshot, const ShareOptions& options);

/// Locks evidence snapshots; works while they are pending.
Result<void> lock_snapshots(CaseAccount& account, const std::vector<std::string>& snapshots, const std::string& mode, int days);

}  // namespace icecore::workstation
