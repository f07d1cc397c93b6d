// Filesystems read through The Sleuth Kit's library (libtsk 4.11): FAT12/16/32, exFAT, NTFS, ISO 9660, HFS+ and APFS.
//
// What stands for what: names, times, contents, deleted names and free inodes as libtsk finds them. FAT's and exFAT's times and ISO 9660's are read
// by us (fat_entry.h, iso_entry.h), because libtsk turns them into UTC by the time zone of whoever runs it; so are Rock Ridge's names, owners and
// links. An NTFS alternate data stream is a file of its own, `file:stream`, whose inode number has the stream's attribute id + 1 in its bits 48 and
// up. libtsk's own virtual entries ($OrphanFiles, $FAT1, volume labels) are left out. Free directory entries that no directory leads to (fls's
// $OrphanFiles on FAT) are not looked for: finding them means to read the whole volume.
//
// Threading: libtsk keeps caches in its handles, so each filesystem has one lock and its calls go one after the other; two filesystems do not hinder
// each other. Bounds: a call may not read more than a stated multiple of the volume, and a sweep may not give more names than the volume has room
// for. libtsk is C code that meets hostile bytes: what it allocates besides is its own.
#pragma once

#include <string_view>

#include "fs/filesystem.h"

namespace icecore::fs::tsk {

/// `type` is a word of volume::Signature: "vfat", "exfat", "ntfs", "iso9660", "hfsplus", "apfs".
bool reads(std::string_view type);

/// kCorrupt with libtsk's words where it cannot make sense of the volume; kUnsupported for an encrypted APFS volume. Precondition: reads(type).
Result<FilesystemPtr> open(image::SourcePtr source, std::string_view type, Anomalies& anomalies);

}  // namespace icecore::fs::tsk
