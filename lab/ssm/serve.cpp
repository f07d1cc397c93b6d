// Systems Manager, JSON 1.1: public parameters that name images, and commands that run in the machine behind an instance.
#include <algorithm>

#include "ec2/call.h"
#include "json_front.h"
#include "util/api_error.h"
#include "util/digest.h"

namespace icelab {
namespace {

using nlohmann::json;

constexpr std::size_t kOutputKept = 24'000;
constexpr const char* kRecordOnly = "icecore-lab: this instance is a record only; start the lab with --vm for a real machine\n";

ConditionContext context_of(const Call& call, const json& tags) {
  ConditionContext context = {{"aws:requestedregion", {call.region->name}}, {"aws:principalarn", {call.principal.arn}}};
  for (const json& tag : tags) {
    const std::string key = lowercase(tag.value("Key", ""));
    context["aws:resourcetag/" + key] = context["ssm:resourcetag/" + key] = {tag.value("Value", "")};
  }
  return context;
}

void permit(const Call& call, const std::string& arn, const json& tags = json::array()) {
  const std::string action = "ssm:" + call.action;
  if (call.principal.may({action, arn, context_of(call, tags)}) == Decision::allowed) return;
  throw ApiError("AccessDeniedException", "User: " + call.principal.arn + " is not authorized to perform: " + action + " on resource: " + arn +
                                              " because no identity-based policy allows the " + action + " action");
}

// "/aws/service/debian/release/12/latest/amd64" and the like: the newest image that is not the account's own, else the newest.
json get_parameter(Call& call, const json& in) {
  const std::string name = in["Name"];
  permit(call, "arn:aws:ssm:" + call.region->name + "::parameter" + name);
  std::string value;
  const std::string architecture = name.ends_with("arm64") ? "arm64" : "x86_64";
  std::string newest;
  if (name.starts_with("/aws/service/")) {
    for (const auto& [id, image] : (*call.region)["images"]) {
      if (image.value("Architecture", "") != architecture) continue;
      const std::string rank = (image.value("OwnerId", "") == call.lab.world->account ? "0" : "1") + image.value("CreationDate", "");
      if (rank >= newest) value = id, newest = rank;
    }
  }
  if (value.empty()) throw ApiError("ParameterNotFound", "Parameter " + name + " not found.");
  return {{"Parameter", {{"Name", name}, {"Type", "String"}, {"Value", value}, {"Version", 1}, {"DataType", "text"}}}};
}

const json* instance_of(Call& call, const std::string& id) {
  const auto& instances = (*call.region)["instances"];
  const auto found = instances.find(id);
  return found == instances.end() || found->second["State"].value("Name", "") != "running" ? nullptr : &found->second;
}

// An instance that the lab launched and gave a profile has an agent: the guest's, or (records only) a made-up one whose commands fail.
bool is_managed(Call& call, const json& instance) {
  if (!instance.contains("IamInstanceProfile")) return false;
  Machine* machine = call.lab.machines.of(instance.value("InstanceId", ""));
  return machine == nullptr ? !call.lab.machines.on() : machine->agent_is_up();
}

json describe_instance_information(Call& call, const json& in) {
  permit(call, "*");
  json wanted = json::array();
  for (const json& filter : in.value("Filters", json::array())) {
    if (filter.value("Key", "") == "InstanceIds") wanted = filter["Values"];
  }
  json list = json::array();
  for (const auto& [id, instance] : (*call.region)["instances"]) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), id) == wanted.end()) continue;
    if (instance["State"].value("Name", "") != "running" || !is_managed(call, instance)) continue;
    list.push_back({{"InstanceId", id}, {"PingStatus", "Online"}, {"PlatformType", "Linux"}, {"ResourceType", "EC2Instance"}});
  }
  return {{"InstanceInformationList", std::move(list)}};
}

json send_command(Call& call, const json& in) {
  const std::string document = in["DocumentName"];
  permit(call, "arn:aws:ssm:" + call.region->name + "::document/" + document);
  if (document != "AWS-RunShellScript") throw ApiError("InvalidDocument", "The lab has no document " + document);
  const json parameters = in.value("Parameters", json::object());
  if (!parameters.contains("commands") || !parameters["commands"].is_array())
    throw ApiError("InvalidParameters", "AWS-RunShellScript needs the parameter commands");
  const json ids = in.value("InstanceIds", json::array());
  if (ids.size() != 1) throw ApiError("ValidationException", "The lab sends a command to one instance");
  const std::string id = ids[0];
  const json* instance = instance_of(call, id);
  permit(call, "arn:aws:ec2:" + call.region->name + ":" + call.lab.world->account + ":instance/" + id,
         instance == nullptr ? json::array() : tags_of(*instance));
  if (instance == nullptr || !is_managed(call, *instance))
    throw ApiError("InvalidInstanceId", "Instances [[" + id + "]] not in a valid state for account " + call.lab.world->account);
  std::string script;
  for (const json& line : parameters["commands"]) script += line.get<std::string>() + "\n";
  const std::string command = new_request_id();
  if (Machine* machine = call.lab.machines.of(id); machine != nullptr) machine->run(command, script);
  (*call.region)["_commands"][command] = {{"InstanceId", id}};
  return {{"Command",
           {{"CommandId", command}, {"DocumentName", document}, {"Comment", in.value("Comment", "")}, {"InstanceIds", ids}, {"Status", "Pending"}}}};
}

json get_command_invocation(Call& call, const json& in) {
  permit(call, "*");
  const std::string id = in["CommandId"];
  const std::string instance = in["InstanceId"];
  const Table& commands = (*call.region)["_commands"];
  const auto found = commands.find(id);
  if (found == commands.end() || found->second["InstanceId"] != instance)
    throw ApiError("InvocationDoesNotExist", "The command and the instance do not match any invocation");
  json out = {{"CommandId", id}, {"InstanceId", instance}, {"DocumentName", "AWS-RunShellScript"}, {"ResponseCode", -1}, {"Status", "InProgress"}};
  Machine* machine = call.lab.machines.of(instance);
  GuestRun run;
  if (machine == nullptr) {
    run.ended = true;
    run.exit_code = 1;
    run.errors = call.lab.machines.on() ? "icecore-lab: the machine is gone\n" : kRecordOnly;
  } else {
    run = machine->result(id).value_or(GuestRun{});
  }
  if (!run.ended) return out;
  out["Status"] = run.exit_code == 0 ? "Success" : "Failed";
  out["ResponseCode"] = run.exit_code;
  out["StandardOutputContent"] = run.output.substr(0, kOutputKept);
  out["StandardErrorContent"] = run.errors.substr(0, kOutputKept);
  return out;
}

}  // namespace

Reply serve_ssm(Call& call) {
  return serve_json(call, [&call](const json& in) {
    const std::lock_guard lock(call.lab.world->mutex);
    call.lab.world->settle();
    if (call.action == "GetParameter") return get_parameter(call, in);
    if (call.action == "DescribeInstanceInformation") return describe_instance_information(call, in);
    if (call.action == "SendCommand") return send_command(call, in);
    return get_command_invocation(call, in);
  });
}

}  // namespace icelab
