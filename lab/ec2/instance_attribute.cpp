#include "ec2/handlers.h"

namespace icelab {
namespace {

json value_of(const json& value) { return value.is_null() ? json::object() : json{{"Value", value}}; }

json own_attribute(const json& instance, const std::string& name, const json& otherwise) {
  const json attributes = instance.value("_attributes", json::object());
  return attributes.contains(name) ? attributes[name] : otherwise;
}

json groups_of(const json& instance) { return instance.value("SecurityGroups", json::array()); }

// The reply's member for an attribute; null for a name that the lab has not.
json attribute(const json& instance, const std::string& name) {
  if (name == "instanceType") return {{"InstanceType", value_of(instance.value("InstanceType", json()))}};
  if (name == "kernel") return {{"KernelId", value_of(instance.value("KernelId", json()))}};
  if (name == "ramdisk") return {{"RamdiskId", value_of(instance.value("RamdiskId", json()))}};
  if (name == "userData") return {{"UserData", value_of(instance.value("_user_data", json()))}};
  if (name == "disableApiTermination") return {{"DisableApiTermination", value_of(own_attribute(instance, name, false))}};
  if (name == "disableApiStop") return {{"DisableApiStop", value_of(own_attribute(instance, name, false))}};
  if (name == "instanceInitiatedShutdownBehavior") return {{"InstanceInitiatedShutdownBehavior", value_of(own_attribute(instance, name, "stop"))}};
  if (name == "rootDeviceName") return {{"RootDeviceName", value_of(instance.value("RootDeviceName", json()))}};
  if (name == "blockDeviceMapping") return {{"BlockDeviceMappings", instance.value("BlockDeviceMappings", json::array())}};
  if (name == "productCodes") return {{"ProductCodes", instance.value("ProductCodes", json::array())}};
  if (name == "sourceDestCheck") return {{"SourceDestCheck", value_of(instance.value("SourceDestCheck", true))}};
  if (name == "groupSet") return {{"Groups", groups_of(instance)}};
  if (name == "ebsOptimized") return {{"EbsOptimized", value_of(instance.value("EbsOptimized", false))}};
  if (name == "sriovNetSupport") return {{"SriovNetSupport", value_of(own_attribute(instance, name, json()))}};
  if (name == "enaSupport") return {{"EnaSupport", value_of(instance.value("EnaSupport", false))}};
  if (name == "enclaveOptions") return {{"EnclaveOptions", instance.value("EnclaveOptions", json{{"Enabled", false}})}};
  return nullptr;
}

void set_groups(Ec2Call& call, json& instance, const json& ids) {
  json groups = json::array();
  for (const json& id : ids) {
    const json& group = find_object(call, "security_groups", id);
    groups.push_back({{"GroupId", id}, {"GroupName", group.value("GroupName", "")}});
  }
  instance["SecurityGroups"] = groups;
  // The groups really belong to the first interface.
  for (json& interface : instance["NetworkInterfaces"]) {
    interface["Groups"] = groups;
    const auto own = call.region["network_interfaces"].find(interface.value("NetworkInterfaceId", ""));
    if (own != call.region["network_interfaces"].end()) own->second["Groups"] = groups;
    break;
  }
}

}  // namespace

json describe_instance_attribute(Ec2Call& call) {
  const std::string id = call.text("InstanceId");
  const json& instance = find_object(call, "instances", id);
  call.permit({{"instance", id, tags_of(instance), false, {}}});
  json out = attribute(instance, call.text("Attribute"));
  if (out.is_null())
    throw ApiError("InvalidParameterValue", "Value (" + call.text("Attribute") + ") for parameter attribute is invalid. Unknown attribute.");
  out["InstanceId"] = id;
  return out;
}

json modify_instance_attribute(Ec2Call& call) {
  const std::string id = call.text("InstanceId");
  json& instance = find_object(call, "instances", id);
  call.permit({{"instance", id, tags_of(instance), false, {}}});
  const bool stopped = instance["State"].value("Name", "") == "stopped";
  if (call.in.contains("UserData")) {
    if (!stopped) throw ApiError("IncorrectInstanceState", "The instance '" + id + "' is not in the 'stopped' state.");
    instance["_user_data"] = call.in["UserData"].value("Value", "");
  }
  for (const char* name : {"DisableApiTermination", "DisableApiStop"}) {
    if (!call.in.contains(name)) continue;
    std::string own = name;
    own[0] = 'd';
    instance["_attributes"][own] = call.in[name].value("Value", false);
  }
  if (call.in.contains("SourceDestCheck")) instance["SourceDestCheck"] = call.in["SourceDestCheck"].value("Value", true);
  if (call.in.contains("Groups")) set_groups(call, instance, call.in["Groups"]);
  return json::object();
}

}  // namespace icelab
