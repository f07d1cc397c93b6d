// RunInstances in two steps: what is wanted and whether it can be, then the instance, its volumes and its interface.
#pragma once

#include "ec2/call.h"

namespace icelab {

struct Launch {
  const json* image = nullptr;
  const json* type = nullptr;
  const json* subnet = nullptr;
  std::string zone;
  json groups = json::array();
  json instance_tags, volume_tags, interface_tags;
};

// The Instance's "State" of that name, with its code.
json instance_state(const char* name);

// Throws what RunInstances answers to a request that cannot be met.
Launch plan_launch(Ec2Call& call);

// IAM and DryRun; then whether the zone offers the type.
void permit_launch(Ec2Call& call, const Launch& launch);

// Puts the instance and what belongs to it into the region; its id.
std::string make_instance(Ec2Call& call, const Launch& launch, std::int64_t index, const std::string& reservation);

// Pending becomes running, stopping becomes stopped, after the lab's instance time.
void move_instance_later(Ec2Call& call, const std::string& id, const char* from, const char* to);

}  // namespace icelab
