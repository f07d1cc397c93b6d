// cloud-init: its logs, and the copies of user-data and scripts that it kept.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/collector.h"
#include "artefact/user_data.h"

namespace icecore::artefact {

struct CloudInitLine {
  Timestamp time;
  std::string_view source, level, message;  ///< "util.py", "DEBUG"
};
/// `2026-11-24 08:43:26,123 - util.py[DEBUG]: …` and `Cloud-init v. 22.4.2 running 'modules:final' at Tue, 24 Nov 2026 08:43:26 +0000. Up 12.3
/// seconds.` The first is in the machine's local time.
std::optional<CloudInitLine> parse_cloud_init_line(std::string_view text, const machine::TimeZone& zone);

struct UserDataCopy {
  machine::FileRef file;
  std::vector<UserDataPart> parts;
};
/// user-data.txt, its pieces under scripts/, of every instance that the disk has been, newest last.
Result<std::vector<UserDataCopy>> user_data_copies(const machine::Machine& machine);

/// data_type "cloud_init:log:line" (fields body, source, level, file), "cloud_init:output:line" (undated: the last time before it in the file, else
/// the file's mtime), "cloud_init:user_data" (one a part, at the file's mtime).
Result<void> collect_cloud_init(const Subject& subject, EventSink& sink);

}  // namespace icecore::artefact
