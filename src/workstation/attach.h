// `icecore workstation attach` and `reset`: copies of the evidence, mounted, and fresh ones in their place.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "workstation/mount_script.h"
#include "workstation/remote.h"

namespace icecore::workstation {

struct AttachOptions {
  std::vector<std::string> snapshots;  ///< empty: all of the case
  bool as_is = false;                  ///< also a copy whose journal is not replayed
  bool writable = false;               ///< a copy to mess with, instead of the read-only one
  bool print_script = false;           ///< attach, and give the scripts instead of running them
  Remote remote;
  Patience patience;
};

struct Attached {
  std::string instance, zone;
  std::vector<AttachedCopy> copies;
  std::vector<Mounted> mounts;
  std::string script;  ///< with print_script
};

/// Which copies these options mean.
std::vector<Copy> wanted_copies(const std::vector<engine::SnapshotRecord>& snapshots, const AttachOptions& options);

/// Idempotent. What fails for one disk or filesystem is an anomaly; the others go on.
Result<Attached> attach(CaseAccount& account, const AttachOptions& options);

struct ResetOptions {
  AttachOptions attach;  ///< `snapshots` limits what is reset; views are those that are attached
  bool force = false;    ///< also what is in use on the workstation
  /// With print_script: is given the script that unmounts the copies, before anything is thrown away, and comes back when it has run on the
  /// workstation. An error ends the reset, with everything as it was. Empty: nobody is asked.
  std::function<Result<void>(const std::string& script)> hand_over = nullptr;
};

/// Unmounts the copies, throws their volumes away and attaches fresh ones of the same snapshots in the same views. A run that was killed is finished
/// by the next, which remembers from the ledger what there was.
Result<Attached> reset(CaseAccount& account, const ResetOptions& options);

}  // namespace icecore::workstation
