// One EC2 call from its parameters to XML: limits, members, permission, handler, page.
#include <algorithm>
#include <stdexcept>

#include "ec2/actions.h"
#include "ec2/describe.h"
#include "ec2/kinds.h"
#include "ec2/paging.h"

namespace icelab {
namespace {

void check_paging(const Ec2Action& action, const json& in) {
  if (action.pages == nullptr || !in.contains("MaxResults")) return;
  const std::int64_t wanted = in["MaxResults"];
  if (wanted < action.min_results)
    throw ApiError("InvalidParameterValue", "Value ( " + std::to_string(wanted) +
                                                " ) for parameter maxResults is invalid. Expecting a value greater than or equal to " +
                                                std::to_string(action.min_results) + ".");
  if (action.ids != nullptr && in.contains(action.ids))
    throw ApiError("InvalidParameterCombination", std::string("The parameter ") + action.ids + " cannot be used with the parameter maxResults");
}

void cut(Ec2Call& call, const Ec2Action& action, json& out) {
  PageRequest wanted;
  json query = call.in;
  query.erase("NextToken");
  query.erase("MaxResults");
  wanted.query = call.operation.name + call.principal.account + call.region.name + query.dump();
  wanted.token = call.text("NextToken");
  const auto most = static_cast<std::size_t>(action.max_results);
  wanted.max_results = call.in.contains("MaxResults") ? std::min(call.in["MaxResults"].get<std::size_t>(), most) : 0;
  const bool by_id = action.ids != nullptr && call.in.contains(action.ids);
  wanted.whole = wanted.token.empty() && wanted.max_results == 0 && (by_id || action.only_asked);
  Page page = cut_page(call.lab, out[action.pages], wanted);
  if (!page.valid) throw ApiError("InvalidNextToken", "The token '" + wanted.token + "' is invalid");
  out[action.pages] = std::move(page.items);
  if (!page.next_token.empty()) out["NextToken"] = page.next_token;
}

// Members of the answer, from the action's own handler or straight from its table.
json answer(Ec2Call& call, const Ec2Action& action) {
  if (action.handler != nullptr) return action.handler(call);
  json out = json::object();
  out[kind_of(action.table).list] = select_objects(call, action.table);
  return out;
}

json run(Ec2Call& call, const Ec2Action& action) {
  if (action.kind == Kind::read) call.permit({Resource{"", "*", json::array(), false, {}}});
  json out = answer(call, action);
  if (!call.permitted) throw std::logic_error(std::string(action.name) + " did not ask for permission");
  if (action.pages != nullptr) cut(call, action, out);
  return out;
}

}  // namespace

Reply serve_ec2(Call& call, const Parameters& parameters) {
  const ServiceModel& model = service_models().at("ec2");
  const Operation& operation = *model.find(call.action);
  const Ec2Action* action = find_ec2_action(call.action);
  if (action == nullptr) throw std::logic_error("no handler for " + call.action);
  const LabOptions& options = call.lab.options;
  if (!call.lab.buckets.take(call.region->name + call.action, action->kind == Kind::write ? options.ec2_write : options.ec2_read))
    throw ApiError("RequestLimitExceeded", "Request limit exceeded.", 503);
  json in = model.parse_query(operation, parameters);
  check_paging(*action, in);
  World& world = *call.lab.world;
  const std::lock_guard lock(world.mutex);
  world.settle();
  Ec2Call ec2{call.lab, world, *call.region, call.principal, operation, call.request_id, std::move(in)};
  Reply reply;
  reply.headers.emplace_back("Content-Type", "text/xml;charset=UTF-8");
  reply.body = model.to_xml(operation, run(ec2, *action), call.request_id);
  return reply;
}

}  // namespace icelab
