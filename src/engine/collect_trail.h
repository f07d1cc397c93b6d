// CloudTrail: what was done to the instance and its resources, and then all that the keys and principals behind it did.
#pragma once

#include "engine/evidence_calls.h"
#include "engine/instance_record.h"

namespace icecore::engine {

/// Looks up each resource of the instance, then each access key and user name that those events reveal, at CloudTrail's two calls a second. Keeps
/// every page verbatim in cloudtrail/, and all events once, oldest first, in cloudtrail/events.jsonl. A refusal is an anomaly. Resumes.
Result<void> collect_trail(Workspace& workspace, const InstanceRecord& instance);

/// What access keys that lay on the instance's disks did: cloudtrail/events-of-keys-on-disk.jsonl. Nothing where there are none; the same rules.
Result<void> collect_trail_of_keys(Workspace& workspace, const std::string& region, const std::vector<std::string>& keys);

/// The files of events that a case may hold, relative to it.
std::vector<std::string> trail_files();

/// Every trail and whether it is logging: an attacker's first target.
Result<void> collect_trails_status(Workspace& workspace);

}  // namespace icecore::engine
