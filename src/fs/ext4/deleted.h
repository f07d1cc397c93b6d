// Deleted files of an ext filesystem: what the inode tables, the journal's old copies and directories still say, put together.
#pragma once

#include "core/anomaly.h"
#include "core/progress.h"
#include "fs/ext4/disk.h"
#include "fs/filesystem.h"

namespace icecore::fs::ext4 {

/// See Filesystem::deleted_files(). A piece of content counts as free where the block bitmap says so, no live inode maps it, no file deleted later
/// held it, and the journal has no later version of that block (it was an index or directory block in between). Fails only where the source does;
/// "ext4.deleted" says what was left out. Memory: some 200 bytes a deleted file and what its names and extents take; at most InodeLives::kMost files.
Result<DeletedFiles> find_deleted(const Disk& disk, JournalView view, const FileTable& table, const PathIndex& paths, Anomalies& anomalies,
                                  Progress& progress);

}  // namespace icecore::fs::ext4
