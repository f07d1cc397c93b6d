// CloudTrail, JSON 1.1: LookupEvents and what says whether a trail is logging.
#include <algorithm>

#include "ec2/paging.h"
#include "json_front.h"
#include "util/api_error.h"

namespace icelab {
namespace {

using nlohmann::json;

constexpr Millis kNinetyDays = 90LL * 24 * 3600 * 1000;

void permit(const Call& call) {
  const std::string action = "cloudtrail:" + call.action;
  if (call.principal.may({action, "*", {{"aws:requestedregion", {call.region->name}}}}) == Decision::allowed) return;
  throw ApiError("AccessDeniedException", "User: " + call.principal.arn + " is not authorized to perform: " + action +
                                              " because no identity-based policy allows the " + action + " action");
}

bool has_attribute(const json& event, const std::string& key, const std::string& value) {
  if (key == "EventId") return event.value("EventId", "") == value;
  if (key == "EventName") return event.value("EventName", "") == value;
  if (key == "EventSource") return event.value("EventSource", "") == value;
  if (key == "ReadOnly") return event.value("ReadOnly", "") == value;
  if (key == "Username") return event.value("Username", "") == value;
  if (key == "AccessKeyId") return event.value("AccessKeyId", "") == value;
  const json resources = event.value("Resources", json::array());
  return std::any_of(resources.begin(), resources.end(), [&](const json& one) { return one.value(key, "") == value; });  // ResourceName, ResourceType
}

std::optional<Millis> time_of(const json& in, const char* member) {
  if (!in.contains(member)) return std::nullopt;
  if (in[member].is_number()) return static_cast<Millis>(in[member].get<double>() * 1000);
  return parse_iso8601(in[member].get<std::string>());
}

json lookup_events(Call& call, const json& in) {
  if (!call.lab.buckets.take("cloudtrail|" + call.region->name, call.lab.options.cloudtrail)) throw ApiError("ThrottlingException", "Rate exceeded");
  const json attributes = in.value("LookupAttributes", json::array());
  if (attributes.size() > 1) throw ApiError("InvalidLookupAttributesException", "You can provide only one lookup attribute");
  const std::int64_t most = in.value("MaxResults", std::int64_t{50});
  if (most < 1 || most > 50) throw ApiError("InvalidMaxResultsException", "A number of results must be 1 to 50");
  const Millis now = call.lab.clock.now();
  const Millis start = std::max(time_of(in, "StartTime").value_or(0), now - kNinetyDays);
  const Millis end = time_of(in, "EndTime").value_or(now);
  if (in.contains("StartTime") && time_of(in, "StartTime").value_or(0) > end)
    throw ApiError("InvalidTimeRangeException", "The start time must be before the end time");
  json found = json::array();
  const std::lock_guard lock(call.lab.world->mutex);
  for (const json& event : call.lab.world->events) {
    const Millis time = event["_time"];
    if (call.region->name != call.lab.world->home_region || time < start || time > end) continue;
    const bool wanted =
        attributes.empty() || has_attribute(event, attributes[0].value("AttributeKey", ""), attributes[0].value("AttributeValue", ""));
    if (wanted) found.push_back(event);
  }
  json query = in;
  query.erase("NextToken");
  query.erase("MaxResults");
  Page page = cut_page(call.lab, found, {"LookupEvents" + query.dump(), in.value("NextToken", ""), static_cast<std::size_t>(most), false});
  if (!page.valid) throw ApiError("InvalidNextTokenException", "The token is invalid, or was made with other parameters");
  json out = {{"Events", std::move(page.items)}};
  if (!page.next_token.empty()) out["NextToken"] = page.next_token;
  return out;
}

json describe_trails(Call& call, const json& in) {
  const json wanted = in.value("trailNameList", json::array());
  json list = json::array();
  for (const json& trail : call.lab.world->trails) {
    const bool named = wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const json& one) {
                         return one == trail.value("Name", "") || one == trail.value("TrailARN", "");
                       });
    if (named) list.push_back(trail);
  }
  return {{"trailList", std::move(list)}};
}

const json& named_trail(Call& call, const std::string& name) {
  for (const json& trail : call.lab.world->trails) {
    if (trail.value("Name", "") == name || trail.value("TrailARN", "") == name) return trail;
  }
  throw ApiError("TrailNotFoundException", "Unknown trail: " + name + " for the user: " + call.lab.world->account);
}

json event_selectors(Call& call, const std::string& name) {
  const json& trail = named_trail(call, name);
  return {{"TrailARN", trail.value("TrailARN", "")}, {"EventSelectors", trail.value("_event_selectors", json::array())}};
}

}  // namespace

Reply serve_cloudtrail(Call& call) {
  return serve_json(call, [&call](const json& in) {
    permit(call);
    if (call.action == "LookupEvents") return lookup_events(call, in);
    if (call.action == "DescribeTrails") return describe_trails(call, in);
    if (call.action == "GetTrailStatus") return named_trail(call, in["Name"]).value("_status", json{{"IsLogging", true}});
    return event_selectors(call, in["TrailName"]);
  });
}

}  // namespace icelab
