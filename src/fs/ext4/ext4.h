// ext2, ext3 and ext4, read by our own code. See docs of the kernel: Documentation/filesystems/ext4/, and fs/ext4/ext4.h.
#pragma once

#include "fs/filesystem.h"

namespace icecore::fs::ext4 {

/// Opens an ext2/3/4 filesystem that begins at byte 0 of `source`. Reads superblock, descriptors and (recovered view) the live part of the journal.
/// Where the primary superblock is damaged a backup is used, with an anomaly.
///
/// JournalView::kRecovered shows the disk as the kernel would after recovery: committed transactions applied in memory, unlinked-but-open inodes
/// deleted. JournalView::kAsOnDisk shows the blocks as they stand.
///
/// Errors: kNotFound if there is no ext superblock; kUnsupported names a feature that nobody could read past; kCorrupt.
/// Anomalies: "ext4.superblock", "ext4.superblock-checksum", "ext4.group-checksum", "ext4.journal…", "ext4.fast-commit", "ext4.orphan",
/// "filesystem.truncated" (it spans more than its source), "filesystem.tail" (its source goes on well past its end); from sweep() also
/// "ext4.inode-checksum", "ext4.extent", "ext4.directory", "ext4.directory-checksum", "ext4.inode-table".
///
/// Content, extents and attributes of an inode fail (kCorrupt) where the kernel's checks fail; stat() and list() go by structure alone; sweep()
/// reports wrong checksums and goes on. Encrypted names are given as "encrypted:<base64url of the stored name>"; encrypted content and link targets
/// are kUnsupported. Memory: 48 bytes a group and one small record for each block in the journal; a sweep holds at most four times the bytes that it
/// read, other calls what they
Result<FilesystemPtr> open(image::SourcePtr source, const OpenOptions& options, Anomalies& anomalies);

}  // namespace icecore::fs::ext4
