// Names that are gone: from old copies of directory blocks in the journal, and from the slack that a sweep has found.
#pragma once

#include <vector>

#include "core/anomaly.h"
#include "fs/deleted_file.h"
#include "fs/ext4/inode_lives.h"
#include "fs/ext4/past_disk.h"

namespace icecore::fs::ext4 {

struct PastName {
  enum class Whose { kLife, kLiveFile, kNobodyKnown };
  std::uint64_t inode = 0;
  Whose whose = Whose::kNobodyKnown;
  std::size_t life = 0;  ///< with kLife: index into InodeLives
  FileType type = FileType::kUnknown;
  DeletedName name;
};

/// All of them, each once: of what several copies show the newest counts. Whose a name was follows from which life the inode led when that directory
/// block was committed. A block's folder is known from its "." entry, or from the maps of live and deleted folders; its checksum is held against it.
/// Fails only where the source does. Bounded: kMost names ("ext4.deleted" says when there are more).
Result<std::vector<PastName>> read_past_names(const Disk& disk, const JournalHistory& history, const InodeLives& lives, PastDisk& past,
                                              const FileTable& table, Anomalies& anomalies);

}  // namespace icecore::fs::ext4
