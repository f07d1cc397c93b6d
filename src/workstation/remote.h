// A script on the workstation: through Systems Manager, or through SSH.
#pragma once

#include <optional>
#include <string>

#include "workstation/machine.h"

namespace icecore::workstation {

struct Remote {
  std::optional<std::string> ssh;       ///< "admin@203.0.113.9": through ssh(1) instead of Systems Manager
  std::optional<std::string> identity;  ///< ssh -i
  Patience patience;
};

struct ScriptResult {
  std::string output, errors;
  int exit_code = 0;
};

/// Runs it as root and waits. `purpose` is for Systems Manager's history. kRemote where it could not be run at all or the machine is gone; a script
/// that ends with another exit code than 0 is no error here.
Result<ScriptResult> run_script(CaseAccount& account, const Machine& machine, const Remote& remote, const std::string& script,
                                const std::string& purpose);

}  // namespace icecore::workstation
