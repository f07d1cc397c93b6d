// libtsk's values turned into ours. All of it needs the handle's lock where it takes a TSK_FS_FILE.
#pragma once

#include <tsk/libtsk.h>

#include "fs/filesystem.h"

namespace icecore::fs::tsk {

FileType type_of(TSK_FS_META_TYPE_ENUM type);
FileType type_of(TSK_FS_NAME_TYPE_ENUM type);

/// Without inode_offset. Times as libtsk gives them.
FileInfo info_of(const TSK_FS_META& meta);

/// libtsk's own additions and what is no name of a file: ".", "..", virtual files, FAT's volume label, exFAT's tables.
bool is_artificial(const TSK_FS_NAME& name);
/// The label that such an entry of FAT or exFAT holds; empty where it is none.
std::string label_in(const TSK_FS_NAME& name);

/// NTFS: attribute id of an alternate data stream in the upper bits of its inode number, plus one.
inline constexpr unsigned kStreamShift = 48;
inline std::uint64_t stream_inode(std::uint64_t inode, std::uint16_t attribute) { return inode | (std::uint64_t{attribute} + 1) << kStreamShift; }
inline std::uint64_t base_inode(std::uint64_t inode) { return inode & ((std::uint64_t{1} << kStreamShift) - 1); }
inline std::optional<std::uint16_t> stream_of(std::uint64_t inode) {
  if (inode >> kStreamShift == 0) return std::nullopt;
  return static_cast<std::uint16_t>((inode >> kStreamShift) - 1);
}

struct Stream {
  std::string name;
  std::uint16_t attribute = 0;
  std::uint64_t size = 0;
};
/// Named data attributes of an NTFS file; at most 1,000.
std::vector<Stream> streams_of(TSK_FS_FILE& file);

/// The stream as a file of its own: owner and times are its file's.
FileInfo stream_info(FileInfo file, const Stream& stream);

/// Where an attribute lies; empty for resident and compressed ones. At most `most` runs. Behind its initialised size, and behind `written`, nothing
/// was written.
std::vector<Extent> extents_of(const TSK_FS_INFO& filesystem, const TSK_FS_ATTR& attribute, std::size_t most, std::uint64_t written = UINT64_MAX);

}  // namespace icecore::fs::tsk
