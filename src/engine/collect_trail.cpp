#include "engine/collect_trail.h"

#include <fmt/format.h>
#include <algorithm>
#include <set>

namespace icecore::engine {
namespace {

// A busy role's key can have millions of events; this many of one key tell its story.
constexpr std::size_t kEventsPerLookup = 20'000;
// Principals followed after the resources: more are named in an anomaly.
constexpr std::size_t kMaximumPrincipals = 40;
constexpr const char* kEvents = "cloudtrail/events.jsonl";
constexpr const char* kEventsOfDiskKeys = "cloudtrail/events-of-keys-on-disk.jsonl";

struct Query {
  std::string attribute, value;
  bool operator<(const Query& other) const { return std::tie(attribute, value) < std::tie(other.attribute, other.value); }
};

// Each letter or digit as it is, everything else as '-': arn:aws:… and mail addresses become file names.
std::string file_part(std::string_view text) {
  std::string part;
  for (const char c : text.substr(0, 80)) part += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  return part;
}

std::vector<Query> queries_for(const InstanceRecord& instance) {
  std::vector<Query> queries = {{"ResourceName", instance.instance}};
  for (const AttachedVolume& volume : instance.volumes) queries.push_back({"ResourceName", volume.volume});
  for (const std::string& id : instance.network_interfaces) queries.push_back({"ResourceName", id});
  for (const std::string& id : instance.security_groups) queries.push_back({"ResourceName", id});
  if (!instance.key_name.empty()) queries.push_back({"ResourceName", instance.key_name});
  return queries;
}

class Lookups {
 public:
  Lookups(Workspace& workspace, aws::CloudTrail& trail) : workspace_(workspace), trail_(trail) {}

  /// False where CloudTrail refuses: no further lookup will do better.
  Result<bool> run(const Query& query) {
    if (!done_.insert(query).second) return true;
    auto bodies = bodies_of(query);
    if (!bodies && collection_goes_on(bodies.error().code)) {
      workspace_.anomalies().add("collect.cloudtrail", bodies.error());
      return false;
    }
    if (!bodies) return Failure(bodies.error());
    for (const std::string& body : *bodies) ICECORE_CHECK(take(body));
    return true;
  }

  /// Keys and user names seen so far, most frequent first.
  std::vector<Query> principals() const {
    std::vector<std::pair<std::size_t, Query>> counted;
    for (const auto& [query, count] : principals_) counted.emplace_back(count, query);
    std::ranges::stable_sort(counted, std::greater{}, &std::pair<std::size_t, Query>::first);
    std::vector<Query> queries;
    for (auto& [count, query] : counted) queries.push_back(std::move(query));
    return queries;
  }

  std::string events_jsonl() const {
    std::vector<const Json*> order;
    for (const auto& [id, event] : events_) order.push_back(&event);
    std::ranges::stable_sort(order, [](const Json* a, const Json* b) { return time_of(*a) < time_of(*b); });
    std::string text;
    for (const Json* event : order) text += event->dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
    return text;
  }

 private:
  Result<std::vector<std::string>> bodies_of(const Query& query) {
    const std::string base = fmt::format("cloudtrail/lookup-{}-{}", query.attribute, file_part(query.value));
    const std::string source = fmt::format("cloudtrail LookupEvents {}={}", query.attribute, query.value);
    return keep_bodies(workspace_.folder(), base, "json", source, [&]() -> Result<std::vector<std::string>> {
      bool truncated = false;
      auto found = trail_.lookup_events({query.attribute, query.value}, kEventsPerLookup, &truncated);
      if (!found) return Failure(static_cast<const Error&>(found.error()));
      if (truncated)
        workspace_.anomalies().add("collect.cloudtrail", fail(Code::kUnsupported, fmt::format("{} {} has more than {} events; the newest were kept",
                                                                                              query.attribute, query.value, kEventsPerLookup))
                                                             .value());
      return std::move(found->pages);
    });
  }

  Result<void> take(const std::string& body) {
    ICECORE_ASSIGN(Json page, parse_json(body, "a page of LookupEvents"));
    for (const Json& event : json_at(page, {"Events"})) {
      const std::string id = text_at(event, "EventId");
      if (id.empty() || !events_.emplace(id, event).second) continue;
      // Services of AWS act for somebody whose own event is there too; a session's temporary key is followed by its key id.
      if (const std::string key = text_at(event, "AccessKeyId"); !key.empty()) ++principals_[{"AccessKeyId", key}];
      if (const std::string user = text_at(event, "Username"); !user.empty() && user.find(".amazonaws.com") == std::string::npos)
        ++principals_[{"Username", user}];
    }
    return {};
  }

  static double time_of(const Json& event) {
    const Json& time = json_at(event, {"EventTime"});
    if (time.is_number()) return time.get<double>();
    const auto parsed = parse_iso8601(text_at(event, "EventTime"));
    return parsed ? static_cast<double>(parsed->seconds) : 0;
  }

  Workspace& workspace_;
  aws::CloudTrail& trail_;
  std::set<Query> done_;
  std::map<std::string, Json> events_;
  std::map<Query, std::size_t> principals_;
};

}  // namespace

Result<void> collect_trail(Workspace& workspace, const InstanceRecord& instance) {
  if (is_collected(workspace.folder(), kEvents)) return {};
  ICECORE_ASSIGN(aws::Session* const session, workspace.aws());
  ICECORE_ASSIGN(auto trail, session->cloudtrail(instance.region));
  Lookups lookups(workspace, trail);
  std::vector<Query> queries = queries_for(instance);
  workspace.progress().begin("asking CloudTrail (two calls a second)", queries.size(), "lookups");
  const std::size_t resources = queries.size();
  for (std::size_t i = 0; i < queries.size(); ++i) {
    ICECORE_ASSIGN(const bool goes_on, lookups.run(queries[i]));
    if (!goes_on) break;
    workspace.progress().update(i + 1);
    if (i + 1 != resources) continue;
    std::vector<Query> principals = lookups.principals();
    if (principals.size() > kMaximumPrincipals) {
      workspace.anomalies().add("collect.cloudtrail",
                                fail(Code::kUnsupported, fmt::format("{} keys and users touched this instance; the {} most active were followed",
                                                                     principals.size(), kMaximumPrincipals))
                                    .value());
      principals.resize(kMaximumPrincipals);
    }
    queries.insert(queries.end(), principals.begin(), principals.end());
    workspace.progress().begin("asking CloudTrail what these keys did", queries.size(), "lookups");
  }
  workspace.progress().end();
  return workspace.folder()
      .write_evidence(kEvents, lookups.events_jsonl(), "all events of the lookups beside it, once each, oldest first")
      .map([](const auto&) {});
}

Result<void> collect_trail_of_keys(Workspace& workspace, const std::string& region, const std::vector<std::string>& keys) {
  if (keys.empty() || is_collected(workspace.folder(), kEventsOfDiskKeys)) return {};
  ICECORE_ASSIGN(aws::Session* const session, workspace.aws());
  ICECORE_ASSIGN(auto trail, session->cloudtrail(region));
  Lookups lookups(workspace, trail);
  for (const std::string& key : keys) {
    ICECORE_ASSIGN(const bool goes_on, lookups.run({"AccessKeyId", key}));
    if (!goes_on) break;
  }
  return workspace.folder()
      .write_evidence(kEventsOfDiskKeys, lookups.events_jsonl(), "events of the access keys found on the disks, once each, oldest first")
      .map([](const auto&) {});
}

std::vector<std::string> trail_files() { return {kEvents, kEventsOfDiskKeys}; }

Result<void> collect_trails_status(Workspace& workspace) {
  constexpr const char* kTrails = "cloudtrail/describe-trails.json";
  if (is_collected(workspace.folder(), kTrails)) return {};
  ICECORE_ASSIGN(aws::Session* const session, workspace.aws());
  ICECORE_ASSIGN(auto trail, session->cloudtrail());
  const auto body = trail.describe_trails();
  if (!body && collection_goes_on(body.error().code)) {
    workspace.anomalies().add("collect.cloudtrail", body.error());
    return {};
  }
  if (!body) return Failure(static_cast<const Error&>(body.error()));
  ICECORE_ASSIGN(const Json trails, parse_json(*body, "DescribeTrails"));
  for (const Json& one : json_at(trails, {"trailList"})) {
    const std::string arn = text_at(one, "TrailARN");
    const auto status = trail.get_trail_status(arn);
    // Whether anything was logging is evidence: that it could not be asked is said, as with every other call.
    if (!status) workspace.anomalies().add("collect.cloudtrail", status.error());
    if (status)
      ICECORE_CHECK(workspace.folder().write_evidence(fmt::format("cloudtrail/trail-status-{}.json", file_part(text_at(one, "Name"))), *status,
                                                      "cloudtrail GetTrailStatus " + arn, evidence::Existing::kReplace));
  }
  return workspace.folder().write_evidence(kTrails, *body, "cloudtrail DescribeTrails").map([](const auto&) {});
}

}  // namespace icecore::engine
