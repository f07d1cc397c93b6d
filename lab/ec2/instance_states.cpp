// Starting, stopping and terminating.
#include <algorithm>

#include "ec2/handlers.h"
#include "ec2/launch.h"

namespace icelab {

json instance_state(const char* name) {
  static const std::map<std::string, int> kCodes = {{"pending", 0},     {"running", 16},  {"shutting-down", 32},
                                                    {"terminated", 48}, {"stopping", 64}, {"stopped", 80}};
  return {{"Code", kCodes.at(name)}, {"Name", name}};
}

void move_instance_later(Ec2Call& call, const std::string& id, const char* from, const char* to) {
  call.world.schedule(call.lab.clock.now() + call.lab.options.instance_ms, [&region = call.region, id, from, to] {
    const auto found = region["instances"].find(id);
    if (found != region["instances"].end() && found->second["State"]["Name"] == from) found->second["State"] = instance_state(to);
  });
}

namespace {

// What goes with a terminated instance: its interface, and the volumes that were to go.
void release(World& world, Region& region, const std::string& id) {
  for (auto& table = region["network_interfaces"]; auto& key : values_at(region["instances"][id], "NetworkInterfaces.NetworkInterfaceId"))
    table.erase(key);
  std::vector<std::string> dead;
  for (auto& [volume_id, volume] : region["volumes"]) {
    if (volume["Attachments"].empty() || volume["Attachments"][0]["InstanceId"] != id) continue;
    if (volume["Attachments"][0].value("DeleteOnTermination", false)) dead.push_back(volume_id);
    volume["Attachments"] = json::array();
    volume["State"] = "available";
  }
  for (const std::string& volume : dead) {
    region["volumes"].erase(volume);
    world.drop_image(volume);
  }
  json& instance = region["instances"][id];
  instance["State"] = instance_state("terminated");
  instance["BlockDeviceMappings"] = json::array();
  instance["NetworkInterfaces"] = json::array();
  instance["SecurityGroups"] = json::array();
}

// The three calls that change the state of instances differ in little but the states.
json change_state(Ec2Call& call, const char* member, const std::vector<std::string>& from, const char* during, const char* after) {
  std::vector<Resource> resources;
  std::vector<json*> instances;
  for (const json& id : call.list("InstanceIds")) {
    json& instance = find_object(call, "instances", id);
    instances.push_back(&instance);
    resources.push_back({"instance", id, tags_of(std::as_const(instance)), false, {}});
  }
  call.permit(resources);
  const bool ending = std::string(after) == "terminated";
  for (json* instance : instances) {
    const std::string now = (*instance)["State"].value("Name", "");
    const std::string id = (*instance)["InstanceId"];
    if (std::find(from.begin(), from.end(), now) == from.end())
      throw ApiError("IncorrectInstanceState", "The instance '" + id + "' is not in a state from which it can be " + after + ".");
    if (ending && instance->value("_attributes", json::object()).value("disableApiTermination", false))
      throw ApiError("OperationNotPermitted",
                     "The instance '" + id + "' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.");
  }
  json list = json::array();
  for (json* instance : instances) {
    const json before = (*instance)["State"];
    const std::string id = (*instance)["InstanceId"];
    if (before["Name"] != after) (*instance)["State"] = instance_state(during);
    list.push_back({{"InstanceId", id}, {"PreviousState", before}, {"CurrentState", (*instance)["State"]}});
    if (before["Name"] == after) continue;
    if (ending) {
      call.lab.machines.stop(id);
      call.world.schedule(call.lab.clock.now() + call.lab.options.instance_ms,
                          [&world = call.world, &region = call.region, id] { release(world, region, id); });
    } else {
      move_instance_later(call, id, during, after);
    }
  }
  return {{member, std::move(list)}};
}

}  // namespace

json terminate_instances(Ec2Call& call) {
  return change_state(call, "TerminatingInstances", {"pending", "running", "stopping", "stopped", "shutting-down", "terminated"}, "shutting-down",
                      "terminated");
}
json stop_instances(Ec2Call& call) { return change_state(call, "StoppingInstances", {"running", "stopping", "stopped"}, "stopping", "stopped"); }
json start_instances(Ec2Call& call) { return change_state(call, "StartingInstances", {"stopped", "pending", "running"}, "pending", "running"); }

}  // namespace icelab
