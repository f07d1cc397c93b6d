// `icecore timeline`: every file's times and every parsed log of a target, written in one of three formats.
#pragma once

#include "detect/scene.h"
#include "engine/target.h"
#include "timeline/sink.h"

namespace icecore::engine {

enum class TimelineFormat { kBodyfile, kJsonl, kCsv };

struct TimelineOptions {
  TimelineFormat format = TimelineFormat::kJsonl;
  bool events = true;    ///< logs and CloudTrail too; a bodyfile has no place for them
  bool deleted = false;  ///< deleted files out of the journal too, which has to be read whole; else what inode tables and directories still show
};

/// The timeline of what triage has read already.
Result<void> write_timeline(const machine::Machine& machine, const detect::Scene& scene, TimelineFormat format, timeline::TextSink& sink);

/// Reads what it needs. Errors of the sink come back as they are.
Result<void> write_timeline(Workspace& workspace, const Target& target, const TimelineOptions& options, timeline::TextSink& sink);

}  // namespace icecore::engine
