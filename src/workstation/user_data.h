// cloud-init's user-data: the tools that a forensics instance starts with.
#pragma once

#include <string>

#include "workstation/up.h"

namespace icecore::workstation {

/// Not yet base64. Names of packages are Debian's and Ubuntu's; cloud-init leaves out none silently, it says so in its log.
/// With Systems Manager, an image of theirs without its agent gets it from AWS's bucket in `region`.
std::string user_data(const UpOptions& options, const std::string& region);

}  // namespace icecore::workstation
