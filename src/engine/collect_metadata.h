// Everything that AWS can say about an instance, kept verbatim: the describe calls, user-data, console output both ways, the screenshot.
#pragma once

#include <string>

#include "engine/evidence_calls.h"
#include "engine/instance_record.h"

namespace icecore::engine {

/// Fills instances/i-…/ and gives its metadata.json. Calls that are refused become anomalies; a missing or terminated instance is an error. Resumes.
Result<InstanceRecord> collect_metadata(Workspace& workspace, aws::Ec2& ec2, const std::string& instance, const std::string& account);

}  // namespace icecore::engine
