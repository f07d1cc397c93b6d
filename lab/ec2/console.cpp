#include <fstream>
#include <sstream>

#include "ec2/handlers.h"

namespace icelab {
namespace {

constexpr std::size_t kKept = 64 * 1024;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

bool is_nitro(Ec2Call& call, const json& instance) {
  const auto type = call.region["instance_types"].find(instance.value("InstanceType", ""));
  if (type != call.region["instance_types"].end()) return type->second.value("Hypervisor", "") == "nitro";
  return instance.value("Hypervisor", "") == "nitro";
}

json& addressed(Ec2Call& call) {
  const std::string id = call.text("InstanceId");
  json& instance = find_object(call, "instances", id);
  call.permit({{"instance", id, tags_of(instance), false, {}}});
  return instance;
}

}  // namespace

// Without Latest the answer is the buffer as it was some time after the last boot or stop; the lab's world has one text for both.
json get_console_output(Ec2Call& call) {
  const json& instance = addressed(call);
  if (call.flag("Latest") && !is_nitro(call, instance))
    throw ApiError("UnsupportedOperation", "This instance type does not support retrieving the latest console logs.");
  json out = {{"InstanceId", instance["InstanceId"]}, {"Timestamp", call.now()}};
  if (Machine* machine = call.lab.machines.of(instance["InstanceId"]); machine != nullptr) {
    std::string written = machine->console();
    if (written.size() > kKept) written.erase(0, written.size() - kKept);
    out["Output"] = base64_encode(written);
    return out;
  }
  if (!instance.contains("_console_output")) return out;
  std::string text = read_file(call.world.file(instance["_console_output"]));
  if (text.size() > kKept) text.erase(0, text.size() - kKept);
  out["Output"] = base64_encode(text);
  return out;
}

json get_console_screenshot(Ec2Call& call) {
  const json& instance = addressed(call);
  if (instance["State"].value("Name", "") != "running")
    throw ApiError("IncorrectInstanceState", "The instance '" + instance.value("InstanceId", "") + "' is not in the 'running' state.");
  if (!instance.contains("_console_screenshot")) throw ApiError("UnsupportedOperation", "This instance has no screenshot to give.");
  return {{"InstanceId", instance["InstanceId"]}, {"ImageData", base64_encode(read_file(call.world.file(instance["_console_screenshot"])))}};
}

}  // namespace icelab
