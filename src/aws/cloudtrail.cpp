#include "aws/cloudtrail.h"

#include <fmt/format.h>

#include "aws/json_values.h"

namespace icecore::aws {
namespace {

constexpr std::string_view kTarget = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.";
constexpr std::int64_t kBudgetMs = 300'000;  ///< at two calls a second for the whole account, others may be in front of us

double epoch(const Timestamp& time) { return static_cast<double>(time.microseconds()) / 1e6; }

TrailEvent read_event(const Json& item) {
  return {.id = text_at(item, "EventId"),
          .name = text_at(item, "EventName"),
          .source = text_at(item, "EventSource"),
          .username = text_at(item, "Username"),
          .access_key_id = text_at(item, "AccessKeyId"),
          .time = epoch_at(item, "EventTime"),
          .detail = text_at(item, "CloudTrailEvent")};
}

}  // namespace

Result<LookupPage> parse_lookup_page(std::string_view body) {
  ICECORE_ASSIGN(const Json page, parse_json(body, "the reply of LookupEvents"));
  if (!page.is_object()) return fail(Code::kCorrupt, "the reply of LookupEvents is not a JSON object");
  LookupPage out{{}, filled_text_at(page, "NextToken")};
  const Json& events = json_at(page, {"Events"});
  if (!events.is_array()) return out;
  for (const Json& item : events) out.events.push_back(read_event(item));
  return out;
}

CallResult<std::string> CloudTrail::call(std::string_view action, const Json& input) {
  Call call{.operation = &operation("cloudtrail", action), .protocol = Protocol::kJson, .method = "POST"};
  call.headers = {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", std::string(kTarget) + std::string(action)}};
  call.body = input.dump(-1, ' ', false, Json::error_handler_t::replace);
  call.budget_ms = kBudgetMs;
  call.damage = [](const HttpReply& reply) -> std::optional<std::string> {
    const auto json = parse_json(as_text(reply.body), "the reply");
    return json ? std::nullopt : std::optional(json.error().message);
  };
  for (const auto& [name, value] : input.items()) {
    if (name != "NextToken") call.parameters.push_back({name, value.is_string() ? value.get<std::string>() : value.dump()});
  }
  ICECORE_CALL(const CallReply reply, executor_.run(std::move(call), origin_, region_));
  return std::string(as_text(reply.http.body));
}

CallResult<LookupResult> CloudTrail::lookup_events(const Lookup& lookup, std::size_t max_events, bool* truncated) {
  Json input = {{"LookupAttributes", Json::array({{{"AttributeKey", lookup.attribute}, {"AttributeValue", lookup.value}}})},
                {"MaxResults", operation("cloudtrail", "LookupEvents").page_size}};
  if (lookup.start) input["StartTime"] = epoch(*lookup.start);
  if (lookup.end) input["EndTime"] = epoch(*lookup.end);
  if (truncated != nullptr) *truncated = false;
  LookupResult result;
  std::string token;
  while (true) {
    ICECORE_CALL(std::string body, call("LookupEvents", input));
    ICECORE_CALL(LookupPage page, parse_lookup_page(body));
    result.pages.push_back(std::move(body));
    for (TrailEvent& event : page.events) result.events.push_back(std::move(event));
    if (!page.next_token) return result;
    if (*page.next_token == token) return fail(Code::kRemote, "cloudtrail LookupEvents gives the same page token again and again");
    if (result.events.size() >= max_events) {
      if (truncated != nullptr) *truncated = true;
      return result;
    }
    token = std::move(*page.next_token);
    input["NextToken"] = token;
  }
}

CallResult<std::string> CloudTrail::describe_trails() { return call("DescribeTrails", Json::object()); }

CallResult<std::string> CloudTrail::get_trail_status(const std::string& trail_arn) { return call("GetTrailStatus", {{"Name", trail_arn}}); }

}  // namespace icecore::aws
