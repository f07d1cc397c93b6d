#include "aws/json_service.h"

namespace icecore::aws {

CallResult<Json> JsonService::call(std::string_view action, const Json& input, const Json& shown) const {
  Call call{.operation = &operation(service_, action), .protocol = Protocol::kJson, .method = "POST"};
  call.headers = {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", std::string(target_) + std::string(action)}};
  call.body = input.dump(-1, ' ', false, Json::error_handler_t::replace);
  call.damage = [](const HttpReply& reply) -> std::optional<std::string> {
    // KMS's CreateAlias and other calls without an output answer with an empty body.
    if (reply.body.empty()) return std::nullopt;
    const auto json = parse_json(as_text(reply.body), "the reply");
    return json ? std::nullopt : std::optional(json.error().message);
  };
  for (const auto& [name, value] : shown.items())
    if (name != "NextToken") call.parameters.push_back({name, value.is_string() ? value.get<std::string>() : value.dump()});
  ICECORE_CALL(const CallReply reply, executor_.run(std::move(call), origin_, region_));
  if (reply.http.body.empty()) return Json::object();
  ICECORE_CALL(Json json, parse_json(as_text(reply.http.body), "the reply"));
  if (!json.is_object()) return fail(Code::kCorrupt, "the reply is not a JSON object");
  return json;
}

}  // namespace icecore::aws
