// Which EBS direct call a path and method mean.
#pragma once

#include <string>

#include "http/message.h"

namespace icelab {

// "GetSnapshotBlock" and so on; empty when it is none.
std::string ebs_action(const Request& request);

}  // namespace icelab
