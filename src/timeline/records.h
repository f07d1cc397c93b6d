// The timeline as records: Timesketch's JSON lines and CSV. Both hold message, datetime, timestamp_desc and timestamp (µs UTC, agreeing with datetime
// to the microsecond), and plaso-style data_type. Source: Timesketch's docs, "Create timeline from JSONL/CSV".
#pragma once

#include <span>

#include "artefact/event.h"
#include "core/result.h"
#include "timeline/layer.h"
#include "timeline/sink.h"

namespace icecore::timeline {

/// One JSON object a line, ascending in time. Text that is not UTF-8 is written with \xNN.
Result<void> write_jsonl(std::span<const Layer> layers, std::span<const artefact::Event> events, TextSink& sink);

/// datetime,timestamp,timestamp_desc,data_type,message,snapshot,volume,inode,path (RFC 4180), ascending in time. A field that a spreadsheet would
/// take for a formula is written with an apostrophe before it.
Result<void> write_csv(std::span<const Layer> layers, std::span<const artefact::Event> events, TextSink& sink);

}  // namespace icecore::timeline
