// `icecore workstation down` and `icecore cleanup`: what this case's ledger says was made is removed, and nothing else. There is no call in here, and
// in all of this room, that deletes a snapshot.
#pragma once

#include <string>
#include <vector>

#include "workstation/status.h"
#include "workstation/waiting.h"

namespace icecore::workstation {

struct DownOptions {
  Patience patience;
};

struct Removed {
  std::vector<Item> removed;
  std::vector<Item> left;      ///< what stays and what it costs: the evidence
  std::vector<Item> not_ours;  ///< carries the case's tag, and this ledger did not make it: left alone
};

/// The workstation, its copies, group, profile, role and key. Run again after a kill it finishes; with nothing there it does nothing.
Result<Removed> down(CaseAccount& account, const DownOptions& options);

/// What down would remove; reads only.
Result<Removed> plan_down(CaseAccount& account);

}  // namespace icecore::workstation
