#include "detect/cloud/cloud_event.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "detect/evidence.h"

namespace icecore::detect {
namespace {

// parse_json bounds the depth to 64, so the walks below are bounded too.
template <typename Visit>
void visit_members(const Json& value, const Visit& visit) {
  if (value.is_object()) {
    for (const auto& [name, member] : value.items()) {
      visit(name, member);
      visit_members(member, visit);
    }
  } else if (value.is_array()) {
    for (const Json& member : value) visit_members(member, visit);
  }
}

Json parsed(std::string_view text) {
  if (text.empty()) return nullptr;
  auto value = parse_json(text, "request parameters");
  return value ? std::move(*value) : Json(nullptr);
}

}  // namespace

bool CloudEvent::denied() const {
  const std::string_view code = error();
  for (const std::string_view word : {"AccessDenied", "Unauthorized", "Forbidden", "NotAuthorized"})
    if (code.find(word) != std::string_view::npos) return true;
  return false;
}

std::string_view CloudEvent::actor() const {
  const std::string_view key = event->field("access_key");
  return key.empty() ? event->field("user_arn") : key;
}

bool CloudEvent::is_recon() const {
  const std::string_view n = name();
  for (const std::string_view start : {"Get", "List", "Describe", "Lookup", "Search", "BatchGet"})
    if (n.starts_with(start)) return true;
  return false;
}

bool CloudEvent::is_act() const {
  static constexpr std::array<std::string_view, 38> kActs = {"RunInstances",
                                                             "CreateKeyPair",
                                                             "ImportKeyPair",
                                                             "AuthorizeSecurityGroupIngress",
                                                             "CreateSecurityGroup",
                                                             "ModifyInstanceAttribute",
                                                             "StopInstances",
                                                             "StartInstances",
                                                             "TerminateInstances",
                                                             "RequestSpotInstances",
                                                             "CreateFleet",
                                                             "CreateLaunchTemplate",
                                                             "StopLogging",
                                                             "DeleteTrail",
                                                             "UpdateTrail",
                                                             "PutEventSelectors",
                                                             "CreateUser",
                                                             "CreateAccessKey",
                                                             "CreateLoginProfile",
                                                             "UpdateLoginProfile",
                                                             "AttachUserPolicy",
                                                             "PutUserPolicy",
                                                             "AttachRolePolicy",
                                                             "PutRolePolicy",
                                                             "CreateRole",
                                                             "UpdateAssumeRolePolicy",
                                                             "AddUserToGroup",
                                                             "DeleteDetector",
                                                             "UpdateDetector",
                                                             "StopConfigurationRecorder",
                                                             "DeleteConfigurationRecorder",
                                                             "DeleteFlowLogs",
                                                             "ModifySnapshotAttribute",
                                                             "CreateFunction20150331",
                                                             "SendCommand",
                                                             "SendSSHPublicKey",
                                                             "RequestServiceQuotaIncrease",
                                                             "RegisterTaskDefinition"};
  return std::ranges::find(kActs, name()) != kActs.end();
}

std::vector<CloudEvent> cloud_events(const Scene& scene) {
  std::vector<CloudEvent> events;
  for (const artefact::Event* event : scene.events.of_type("aws:cloudtrail:entry")) {
    if (scene.instance.own_requests.contains(event->field("request_id"))) continue;
    events.push_back({event, parsed(event->field("request")), parsed(event->field("response"))});
  }
  return events;
}

std::vector<std::string> texts_named(const Json& value, std::string_view member) {
  std::vector<std::string> texts;
  visit_members(value, [&](const std::string& name, const Json& found) {
    if (name == member && found.is_string()) texts.push_back(found.get<std::string>());
  });
  return texts;
}

std::int64_t number_named(const Json& value, std::string_view member, std::int64_t fallback) {
  std::optional<std::int64_t> number;
  visit_members(value, [&](const std::string& name, const Json& found) {
    if (name != member || number) return;
    if (found.is_number_integer()) number = found.get<std::int64_t>();
    if (found.is_string()) {
      const std::string text = found.get<std::string>();
      if (!text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos) number = std::stoll(text);
    }
  });
  return number.value_or(fallback);
}

bool has_member(const Json& value, std::string_view member) {
  bool found = false;
  visit_members(value, [&](const std::string& name, const Json&) { found = found || name == member; });
  return found;
}

Provenance place_cloud(const CloudEvent& event) {
  Provenance where = event.event->where;
  where.kind = Provenance::Kind::kCloudTrail;
  where.time = event.event->time;
  if (where.event_id.empty()) where.event_id = event.event->field("event_id");
  if (where.event_name.empty()) where.event_name = event.name();
  if (where.source_ip.empty()) where.source_ip = event.ip();
  if (where.access_key.empty()) where.access_key = event.event->field("access_key");
  std::string excerpt = fmt::format("{} {}", event.name(), event.event->field("request"));
  if (event.refused()) excerpt += fmt::format(" {} {}", event.error(), event.event->field("error_message"));
  where.excerpt = cut(excerpt);
  return where;
}

std::string who(const CloudEvent& event) {
  const std::string_view arn = event.event->field("user_arn");
  const std::string_view name = arn.substr(arn.rfind(':') == std::string_view::npos ? 0 : arn.rfind(':') + 1);
  const std::string_view key = event.event->field("access_key");
  if (key.empty()) return shown(name.empty() ? "an unknown principal" : name);
  return name.empty() ? fmt::format("access key {}", shown(key)) : fmt::format("access key {} ({})", shown(key), shown(name));
}

}  // namespace icecore::detect
