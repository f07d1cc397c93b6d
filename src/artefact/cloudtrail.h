// CloudTrail events as LookupEvents gives them. "CloudTrail record contents" in AWS's user guide.
#pragma once

#include <string_view>

#include "artefact/collector.h"

namespace icecore::artefact {

/// One line of cloudtrail/events.jsonl: an event as LookupEvents returns it (with the text "CloudTrailEvent"), or a bare record. data_type
/// "aws:cloudtrail:entry"; description "Event Time"; fields user, user_arn, user_type, account, access_key, ip, event_name, event_source, event_id,
/// region, error_code, error_message, user_agent, read_only, request (JSON), response (JSON), resources ("type name", by comma), mfa.
/// `where` is a kCloudTrail provenance with case_file and line. kCorrupt where it is no such JSON or has no time.
Result<Event> cloudtrail_event(std::string_view line, std::uint64_t line_number, std::string_view case_file);

/// All lines of a text; bad ones become anomalies ("cloudtrail.event").
Result<void> cloudtrail_events(std::string_view jsonl, std::string_view case_file, EventSink& sink, Anomalies& anomalies);

}  // namespace icecore::artefact
