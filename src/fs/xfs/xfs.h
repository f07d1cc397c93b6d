// XFS, versions 4 and 5, read by our own code: the door of fs/xfs.
//
// What this reader does where the kernel would refuse:
// - A superblock, group header, inode, inode tree or directory whose CRC is wrong and which parses nevertheless is used; sweep() reports it as an
//   anomaly ("xfs.inode-checksum", "xfs.directory-checksum", "xfs.extent-tree-checksum", "xfs.inode-tree-checksum", "xfs.group-checksum"), so does
//   open() for the superblock, and deleted_files() for the free space ("xfs.free-space-checksum"). Where a file's content lies (extent trees), links
//   and attributes are read on demand, with no place to report to: there a wrong CRC is kCorrupt.
// - Free inodes can be asked for: stat() gives what is left of them with allocated = false, and extents() and read() what their fork still maps
//   (xfs_ifree clears the count of extents, not the records).
#pragma once

#include <cstdint>
#include <span>

#include "core/anomaly.h"
#include "core/bytes.h"
#include "core/result.h"
#include "fs/filesystem.h"
#include "image/block_source.h"

namespace icecore::fs::xfs {

/// True where `first_sector` (at least 512 bytes of the source's start) is an XFS superblock.
bool recognised(ByteView first_sector);

/// Opens the XFS in `source`. Under JournalView::kRecovered the log is replayed in memory first; what of it cannot be replayed goes to `anomalies`
/// ("xfs.log…") and the view is as good as the log lets it be. kNotFound where there is no superblock, kCorrupt where it makes no sense, kUnsupported
/// for versions before 4 and unknown incompatible features. `anomalies` is used only until it returns.
Result<FilesystemPtr> open(image::SourcePtr source, const OpenOptions& options, Anomalies& anomalies);

}  // namespace icecore::fs::xfs
