// What `--dry-run` prints of the calls that a command would make.
#pragma once

#include <span>
#include <string>

#include "aws/operations.h"
#include "core/json.h"

namespace icecore::cli {

/// [{"service", "action", "count", "purpose", "changes_the_account"}]
Json calls_json(std::span<const aws::PlannedCall> calls);

/// One line a call; those that change the account say so.
std::string calls_text(std::span<const aws::PlannedCall> calls);

/// "IAM actions: …", one line.
std::string actions_text(std::span<const aws::PlannedCall> calls);

/// "HEADING:" and a line each; nothing for an empty list.
std::string lines_text(std::string_view heading, const std::vector<std::string>& lines);

}  // namespace icecore::cli
