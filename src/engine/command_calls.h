// Which AWS calls each command makes: the one table that `--dry-run` plans and `icecore policy` both read.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/operations.h"
#include "core/result.h"

namespace icecore::engine {

struct CommandCalls {
  std::string_view command;             ///< "collect", "workstation up"
  std::string_view does;                ///< one line for people
  std::vector<aws::PlannedCall> calls;  ///< counts are of a usual run: one instance with two volumes
};

/// All commands that ask AWS anything, in the order of the help.
std::span<const CommandCalls> command_calls();

/// Precondition: it is in the table (our bug otherwise).
const std::vector<aws::PlannedCall>& calls_of(std::string_view command);

/// kInvalidArgument names the commands that there are.
Result<const CommandCalls*> find_command_calls(std::string_view command);

}  // namespace icecore::engine
