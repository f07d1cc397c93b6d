// The block map of ext2 and ext3: 12 direct blocks, then single, double and triple indirect ones. fs/ext4/indirect.c.
#pragma once

#include "fs/ext4/block_map.h"

namespace icecore::fs::ext4 {

BlockMap map_indirect(const Disk& disk, const InodeView& inode, std::uint64_t first, std::uint64_t last);

}  // namespace icecore::fs::ext4
