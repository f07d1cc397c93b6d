// Deleted files of an XFS with all that is known of each: from free inodes, from what the log still holds of them, and from names in directories'
// free space.
#pragma once

#include "core/anomaly.h"
#include "core/progress.h"
#include "fs/xfs/xfs_filesystem.h"

namespace icecore::fs::xfs {

/// See Filesystem::deleted_files(). Looks through free inodes, the whole log and the free space trees. A free inode keeps its extents, so content is
/// found also of files that the log has forgotten; then the size is known in whole blocks only (size_exact is false). A piece counts as free where
/// the free space trees hold it and no file deleted later had it. Bounded: "xfs.deleted" says what was left out.
Result<DeletedFiles> find_deleted(const XfsFilesystem& filesystem, const FileTable& table, const PathIndex& paths, Anomalies& anomalies);

}  // namespace icecore::fs::xfs
