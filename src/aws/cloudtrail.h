// AWS CloudTrail: management events of the last 90 days (LookupEvents, JSON 1.1), paced to its 2 calls a second per account and region.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aws/call.h"
#include "core/json.h"

namespace icecore::aws {

/// One event as LookupEvents gives it. `detail` is the CloudTrailEvent text, verbatim JSON.
struct TrailEvent {
  std::string id = {}, name = {}, source = {}, username = {}, access_key_id = {};
  std::optional<Timestamp> time = {};
  std::string detail = {};
};

struct Lookup {
  std::string
      attribute;  ///< the one attribute a call may have: ResourceName, Username, AccessKeyId, EventName, EventSource, ResourceType, EventId, ReadOnly
  std::string value = {};
  std::optional<Timestamp> start = std::nullopt, end = std::nullopt;
};

struct LookupResult {
  std::vector<TrailEvent> events = {};  ///< newest first, as AWS sends them
  std::vector<std::string> pages = {};  ///< verbatim
};

class CloudTrail {
 public:
  CloudTrail(CallExecutor& executor, std::string origin, std::string region)
      : executor_(executor), origin_(std::move(origin)), region_(std::move(region)) {}

  /// All pages. `max_events` bounds memory (an access key of a busy role can have millions): past it kept events are returned and `truncated` says
  /// so.
  CallResult<LookupResult> lookup_events(const Lookup& lookup, std::size_t max_events = 200'000, bool* truncated = nullptr);
  /// Verbatim body.
  CallResult<std::string> describe_trails();
  CallResult<std::string> get_trail_status(const std::string& trail_arn);

  const std::string& region() const { return region_; }

 private:
  CallResult<std::string> call(std::string_view action, const Json& input);
  CallExecutor& executor_;
  std::string origin_, region_;
};

struct LookupPage {
  std::vector<TrailEvent> events = {};
  std::optional<std::string> next_token = {};
};
Result<LookupPage> parse_lookup_page(std::string_view body);

}  // namespace icecore::aws
