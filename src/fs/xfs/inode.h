// Inode records: the core as a FileInfo, and the two forks as views of the record's bytes.
#pragma once

#include <cstdint>

#include "fs/file_table.h"
#include "fs/xfs/superblock.h"

namespace icecore::fs::xfs {

enum class ForkFormat : std::uint8_t { kDevice = 0, kLocal = 1, kExtents = 2, kBtree = 3, kOther = 4 };

struct Fork {
  ForkFormat format = ForkFormat::kExtents;
  std::uint64_t extents = 0;  ///< as counted in the core
  ByteView bytes;             ///< the fork's part of the record
};

/// Views into the record that it was parsed from, which must outlive it.
struct Inode {
  FileInfo info;  ///< allocated: a mode is set; deleted: the change time of a free inode
  Fork data;
  Fork attributes;  ///< bytes empty where there is no such fork
  bool realtime = false;
  bool metadata = false;  ///< lives in the metadata directory tree, not among the files
  bool checksum_ok = true;
  bool remnants = false;  ///< free, but something was in it once
};

/// Parses one record of super.inode_size bytes. kCorrupt where it is no inode, is another's, or its forks do not fit. Types and modes are as found.
Result<Inode> parse_inode(const Superblock& super, std::uint64_t inode, ByteView record, const std::string& source_name);

/// The FileInfo to show: an inode without links is free in all but name (the kernel frees it after recovery), and a free one has the size that its
/// fork still maps, in whole blocks.
FileInfo finished_info(const Superblock& super, const Inode& inode);

/// A time of an inode: nanoseconds since 1901 where `bigtime`, else two signed 32-bit numbers.
Timestamp decode_time(std::uint64_t raw, bool bigtime);

}  // namespace icecore::fs::xfs
