// glibc's login records: struct utmp (384 bytes on every 64-bit Linux) in utmp, wtmp, btmp. bits/utmp.h; utmp(5).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "artefact/collector.h"

namespace icecore::artefact {

struct UtmpRecord {
  std::uint64_t offset = 0;
  std::int16_t type = 0;  ///< utmp_type_name()
  std::int32_t pid = 0;
  std::string line, id, user, host;  ///< raw bytes up to the NUL
  std::int32_t session = 0;
  Timestamp time;
  std::string address;  ///< of ut_addr_v6, as text; empty where it is 0
};

constexpr std::size_t kUtmpSize = 384;

/// "USER_PROCESS"; "7?" style for what is not known.
std::string utmp_type_name(std::int16_t type);

/// One record of kUtmpSize bytes.
UtmpRecord parse_utmp_record(ByteView record, std::uint64_t offset);
/// Whole records; a rest shorter than one is left over. Records of zeros are left out.
std::vector<UtmpRecord> parse_utmp(ByteView bytes, std::uint64_t first_offset = 0);

/// data_type "linux:utmp:event"; fields type, user, terminal, terminal_id, pid, host, ip, file (utmp, wtmp, btmp); description "Login", "Logout",
/// "Failed Login", "Boot", "Recorded Time".
Result<void> collect_utmp(const Subject& subject, EventSink& sink);

}  // namespace icecore::artefact
