#include "aws/ssm.h"

#include <fmt/format.h>

#include "core/hash.h"
#include "core/text.h"

namespace icecore::aws {
namespace {

constexpr int kDeliverySeconds = 600;
constexpr const char* kExecutionSeconds = "3600";

}  // namespace

CallResult<std::string> Ssm::get_parameter(const std::string& name) const {
  ICECORE_CALL(const Json reply, service_.call("GetParameter", {{"Name", name}}));
  std::string value = text_at(json_at(reply, {"Parameter"}), "Value");
  if (value.empty()) return fail(Code::kNotFound, fmt::format("the parameter {} has no value", printable(name)));
  return value;
}

CallResult<std::string> Ssm::ping_status(const std::string& instance) const {
  ICECORE_CALL(const Json reply, service_.call("DescribeInstanceInformation",
                                               {{"Filters", Json::array({{{"Key", "InstanceIds"}, {"Values", Json::array({instance})}}})}}));
  const Json& list = json_at(reply, {"InstanceInformationList"});
  if (!list.is_array()) return std::string();
  for (const Json& one : list)
    if (text_at(one, "InstanceId") == instance) return text_at(one, "PingStatus");
  return std::string();
}

CallResult<std::string> Ssm::send_script(const std::string& instance, const std::string& script, const std::string& comment) const {
  Json lines = Json::array();
  for (const std::string_view line : split_lines(script)) lines.push_back(line);
  const Json input = {{"DocumentName", "AWS-RunShellScript"},
                      {"InstanceIds", Json::array({instance})},
                      {"Comment", comment.substr(0, 100)},
                      {"TimeoutSeconds", kDeliverySeconds},
                      {"Parameters", {{"commands", std::move(lines)}, {"executionTimeout", Json::array({kExecutionSeconds})}}}};
  Json shown = input;
  shown["Parameters"] = fmt::format("script of {} bytes, SHA-256 {}", script.size(), to_hex(sha256(as_bytes(script))));
  ICECORE_CALL(const Json reply, service_.call("SendCommand", input, shown));
  std::string id = text_at(json_at(reply, {"Command"}), "CommandId");
  if (id.empty()) return fail(Code::kRemote, "ssm SendCommand answered without a command id");
  return id;
}

CallResult<std::optional<CommandInvocation>> Ssm::invocation(const std::string& command, const std::string& instance) const {
  auto reply = service_.call("GetCommandInvocation", {{"CommandId", command}, {"InstanceId", instance}});
  if (!reply && reply.error().aws_code == "InvocationDoesNotExist") return std::optional<CommandInvocation>();
  if (!reply) return CallFailure(std::move(reply).error());
  CommandInvocation found{text_at(*reply, "Status"), text_at(*reply, "StandardOutputContent"), text_at(*reply, "StandardErrorContent")};
  if (const Json& code = json_at(*reply, {"ResponseCode"}); code.is_number_integer()) found.exit_code = code.get<std::int64_t>();
  return std::optional(std::move(found));
}

}  // namespace icecore::aws
