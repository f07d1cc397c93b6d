// lastlog(8): struct lastlog (292 bytes) at uid × 292: the last login of each account. lastlog.h of glibc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "artefact/collector.h"

namespace icecore::artefact {

struct LastlogRecord {
  std::uint64_t offset = 0;
  std::uint32_t uid = 0;
  Timestamp time;
  std::string terminal, host;
};

constexpr std::size_t kLastlogSize = 292;

/// The records that are not zero. `first_offset` is a multiple of kLastlogSize.
std::vector<LastlogRecord> parse_lastlog(ByteView bytes, std::uint64_t first_offset = 0);

/// data_type "linux:lastlog:entry"; fields uid, user, terminal, host, ip. Reads only what is not a hole: a uid of 4,000,000,000 makes a file of 1 TB.
Result<void> collect_lastlog(const Subject& subject, EventSink& sink);

}  // namespace icecore::artefact
