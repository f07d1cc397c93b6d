#include "json_front.h"

#include "model/service_model.h"
#include "util/api_error.h"

namespace icelab {

using nlohmann::json;

Reply serve_json(Call& call, const std::function<json(const json& in)>& answer) {
  const ServiceModel& model = service_models().at(call.service);
  const Operation* operation = model.find(call.action);
  if (operation == nullptr) throw ApiError("UnknownOperationException", "There is no operation " + call.action);
  if (call.request.method != "POST" || call.request.path != "/")
    throw ApiError("UnknownOperationException", call.service + " answers POST of / only");
  const json in = json::parse(call.request.body.empty() ? "{}" : call.request.body, nullptr, false);
  if (!in.is_object()) throw ApiError("SerializationException", "The body is not a JSON object");
  model.check_json(*operation, in);
  const json out = answer(in);
  Reply reply;
  reply.headers.emplace_back("Content-Type", "application/x-amz-json-1.1");
  // Calls without an output shape answer with an empty body.
  if (!operation->output.empty()) reply.body = model.to_json(operation->output, out).dump(-1, ' ', false, json::error_handler_t::replace);
  return reply;
}

}  // namespace icelab
