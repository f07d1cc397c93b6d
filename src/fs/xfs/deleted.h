// Deleted files of an XFS with all that is known of each: from free inodes, and from what the log still holds of them.
#pragma once

#include <cstdint>
#include <vector>

#include "core/anomaly.h"
#include "fs/filesystem.h"

namespace icecore::fs::xfs {

struct DeletedFile {
  /// allocated is false; `deleted` is the inode's last change where it is still free. Mode, owner and times are those of the log's last copy where
  /// there is one, else what the free inode keeps.
  FileInfo info;
  std::vector<Extent> extents;  ///< where the content was; empty where unknown
  bool size_exact = false;      ///< from the log; else whole blocks, as far as the extents go
  bool from_log = false;        ///< extents are a copy in the log, not the free inode's own remnant
  bool inode_reused = false;    ///< the number belongs to another file by now
  bool content_free = false;    ///< no other file uses any of the blocks now: they may still be overwritten since, but no one holds them
};

/// Looks through free inodes, the whole log and the free space trees: megabytes are read, not only metadata of live files. kInvalidArgument where
/// `filesystem` is no XFS. Names come from sweep(): its deleted names have the inodes' numbers. Ascending by inode.
Result<std::vector<DeletedFile>> find_deleted(const Filesystem& filesystem, Anomalies& anomalies, Progress& progress);

/// Reads the content where it was: at most out.size() bytes from `offset`. Holes and what was never written are zeros.
Result<std::size_t> read_deleted(const Filesystem& filesystem, const DeletedFile& file, std::uint64_t offset, std::span<std::byte> out);

}  // namespace icecore::fs::xfs
