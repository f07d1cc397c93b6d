#include "artefact/cloudtrail.h"

#include <fmt/format.h>

#include "artefact/scan.h"
#include "core/json.h"
#include "core/text.h"

namespace icecore::artefact {
namespace {

constexpr std::size_t kLongestJson = 30'000;  // Timesketch loses keyword search on longer values

// EventTime is ISO 8601 in what we write, and seconds in what the API's JSON says.
std::optional<Timestamp> time_of(const Json& value) {
  if (value.is_number()) {
    const double seconds = value.get<double>();
    if (seconds > 0 && seconds < 1e11) return Timestamp::from_microseconds(static_cast<std::int64_t>(seconds * 1e6));
  }
  if (!value.is_string()) return std::nullopt;
  const auto time = parse_iso8601(value.get<std::string>());
  return time ? std::optional(*time) : std::nullopt;
}

std::string dump(const Json& value) {
  if (value.is_null()) return {};
  return value.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, kLongestJson);
}

std::string first_of(std::initializer_list<std::string> values) {
  for (const std::string& value : values)
    if (!value.empty()) return value;
  return {};
}

// LookupEvents names them by type and name; a record by ARN.
std::string resources_of(const Json& lookup, const Json& record) {
  std::string text;
  const auto add = [&](std::string_view type, std::string_view name) {
    if (name.empty()) return;
    if (!text.empty()) text += ',';
    text += type.empty() ? std::string(name) : fmt::format("{} {}", type, name);
  };
  for (const Json& one : json_at(lookup, {"Resources"})) add(text_at(one, "ResourceType"), text_at(one, "ResourceName"));
  if (text.empty())
    for (const Json& one : json_at(record, {"resources"})) add(text_at(one, "type"), text_at(one, "ARN"));
  return text;
}

std::string user_of(const Json& lookup, const Json& record) {
  const Json& identity = json_at(record, {"userIdentity"});
  const std::string arn = text_at(identity, "arn");
  return first_of(
      {text_at(identity, "userName"), text_at(lookup, "Username"), text_at(json_at(identity, {"sessionContext", "sessionIssuer"}), "userName"),
       arn.substr(arn.rfind('/') == std::string::npos ? arn.size() : arn.rfind('/') + 1), text_at(identity, "invokedBy"), text_at(identity, "type")});
}

std::string bool_text(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  return value.is_string() ? value.get<std::string>() : std::string();
}

}  // namespace

Result<Event> cloudtrail_event(std::string_view line, std::uint64_t line_number, std::string_view case_file) {
  const std::string what = fmt::format("{} line {}", case_file, line_number);
  ICECORE_ASSIGN(const Json outer, parse_json(line, what));
  if (!outer.is_object()) return fail(Code::kCorrupt, fmt::format("{} is not a CloudTrail event", what));
  Json record = outer;
  if (const std::string inner = text_at(outer, "CloudTrailEvent"); !inner.empty()) {
    ICECORE_ASSIGN(record, parse_json(inner, what + " (CloudTrailEvent)"));
  }
  auto time = time_of(json_at(record, {"eventTime"}));
  if (!time) time = time_of(json_at(outer, {"EventTime"}));
  if (!time) return fail(Code::kCorrupt, fmt::format("{} has no time", what));
  const Json& identity = json_at(record, {"userIdentity"});
  const std::string name = first_of({text_at(record, "eventName"), text_at(outer, "EventName")});
  const std::string key = first_of({text_at(identity, "accessKeyId"), text_at(outer, "AccessKeyId")});
  const std::string ip = text_at(record, "sourceIPAddress");
  const std::string error = text_at(record, "errorCode");
  const std::string user = user_of(outer, record);
  Provenance where;
  where.kind = Provenance::Kind::kCloudTrail;
  where.event_id = first_of({text_at(record, "eventID"), text_at(outer, "EventId")});
  where.event_name = name;
  where.source_ip = ip;
  where.access_key = key;
  where.case_file = std::string(case_file);
  where.line = line_number;
  where.time = time;
  Event event = make_event(*time, "Event Time", "aws:cloudtrail:entry",
                           fmt::format("{} by {}{}{}{}", name, user, key.empty() ? "" : " (" + key + ")", ip.empty() ? "" : " from " + ip,
                                       error.empty() ? "" : ": " + error),
                           std::move(where));
  put(event, "event_id", event.where.event_id);
  put(event, "request_id", text_at(record, "requestID"));
  put(event, "event_name", name);
  put(event, "event_source", first_of({text_at(record, "eventSource"), text_at(outer, "EventSource")}));
  put(event, "region", text_at(record, "awsRegion"));
  put(event, "user", user);
  put(event, "user_arn", text_at(identity, "arn"));
  put(event, "user_type", text_at(identity, "type"));
  put(event, "account", first_of({text_at(identity, "accountId"), text_at(record, "recipientAccountId")}));
  put(event, "access_key", key);
  put(event, "ip", ip);
  put(event, "source_ip", ip);
  put(event, "error_code", error);
  put(event, "error_message", text_at(record, "errorMessage"));
  put(event, "user_agent", text_at(record, "userAgent"));
  put(event, "read_only", first_of({bool_text(json_at(record, {"readOnly"})), bool_text(json_at(outer, {"ReadOnly"}))}));
  put(event, "mfa", text_at(json_at(identity, {"sessionContext", "attributes"}), "mfaAuthenticated"));
  put(event, "request", dump(json_at(record, {"requestParameters"})));
  put(event, "response", dump(json_at(record, {"responseElements"})));
  put(event, "resources", resources_of(outer, record));
  return event;
}

Result<void> cloudtrail_events(std::string_view jsonl, std::string_view case_file, EventSink& sink, Anomalies& anomalies) {
  std::uint64_t number = 0;
  for (const std::string_view line : split_lines(jsonl)) {  // not for_each_line: an event may be longer than a log's line
    ++number;
    if (trim(line).empty()) continue;
    auto event = cloudtrail_event(line, number, case_file);
    if (event) {
      ICECORE_CHECK(sink.add(std::move(*event)));
      continue;
    }
    Error error = std::move(event).error();
    error.where = Location{std::string(case_file), static_cast<std::uint64_t>(line.data() - jsonl.data())};
    anomalies.add("cloudtrail.event", std::move(error));
  }
  return {};
}

}  // namespace icecore::artefact
