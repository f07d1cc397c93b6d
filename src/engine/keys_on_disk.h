// AWS access keys that lie on the machine: whoever held the disk held them, so what they did belongs to the case.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "machine/machine.h"

namespace icecore::engine {

/// Access key ids (never secrets) in the credentials and configuration files of root and of every home folder, sorted, each once.
Result<std::vector<std::string>> keys_on_disk(const machine::Machine& machine);

/// The ids in a text: AKIA or ASIA and 16 capitals or digits, standing alone (AWS's "unique identifiers" of IAM).
std::vector<std::string> access_key_ids(std::string_view text);

}  // namespace icecore::engine
