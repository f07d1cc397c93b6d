// The bytes of a file, wherever they lie.
#pragma once

#include <span>
#include <string>

#include "fs/ext4/block_map.h"

namespace icecore::fs::ext4 {

/// At most out.size() bytes from `offset`, fewer only at the end of the file; holes and unwritten extents are zeros. Prefetches what it needs as one
/// round.
Result<std::size_t> read_content(const Disk& disk, const InodeView& inode, std::uint64_t offset, std::span<std::byte> out);

/// Content that is inside the inode: 60 bytes and what "system.data" holds. Not cut to the file's size.
Result<Bytes> inline_content(const Disk& disk, const InodeView& inode);

Result<std::string> read_link_target(const Disk& disk, const InodeView& inode);

}  // namespace icecore::fs::ext4
