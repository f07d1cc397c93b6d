// What the snapshot handlers and EBS direct share.
#pragma once

#include "ec2/call.h"

namespace icelab {

// May the account see it: its own, shared with it, or public.
bool snapshot_visible(const Ec2Call& call, const json& snapshot);

// Members of a new snapshot; state pending, until the lab's snapshot time has passed.
json new_snapshot(const Lab& lab, const std::string& description);

// Puts it into the region and sees to it that it completes (or ends in error).
void begin_snapshot(Lab& lab, Region& region, json snapshot, std::shared_ptr<const BlockImage> image);

// Progress as it stands now.
void show_progress(const Lab& lab, json& snapshot);

}  // namespace icelab
