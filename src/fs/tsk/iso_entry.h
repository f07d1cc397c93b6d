// Directory records of ISO 9660 as they stand on the disk: libtsk turns their times into UTC by its own time zone, and leaves out Rock Ridge's names,
// owners, links and times. Sources: ECMA-119 9.1, IEEE P1281 (SUSP), IEEE P1282 (Rock Ridge).
#pragma once

#include <tsk/libtsk.h>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/timestamp.h"
#include "image/block_source.h"

namespace icecore::fs::tsk {

/// Where libtsk found an inode's record, and the system use entries behind it.
struct IsoRecord {
  std::uint64_t offset = 0;
  std::uint64_t system_use_offset = 0;
  std::uint32_t system_use_length = 0;
};
using IsoRecords = std::unordered_map<std::uint64_t, IsoRecord>;

/// Of a filesystem that libtsk opened as ISO 9660.
IsoRecords iso_records(const TSK_FS_INFO& filesystem);

/// What a record says of its file. Without Rock Ridge only the times, all of them the record's one.
struct IsoEntry {
  std::optional<Timestamp> created, modified, accessed, changed;
  std::string name;  ///< NM; empty where there is none
  std::string link;  ///< SL
  struct Posix {
    std::uint32_t mode = 0, links = 0, uid = 0, gid = 0;
  };
  std::optional<Posix> posix;  ///< PX
};

/// Reads a record with at most kMaximumContinuations further areas of system use entries. Thread-safe.
Result<IsoEntry> read_iso_entry(const image::BlockSource& source, const IsoRecord& record);

}  // namespace icecore::fs::tsk
