// Extended attributes: in the inode's spare bytes, in one block, or each value in an inode of its own. fs/ext4/xattr.h.
#pragma once

#include <string_view>
#include <vector>

#include "fs/ext4/disk.h"
#include "fs/filesystem.h"

namespace icecore::fs::ext4 {

/// All attributes of an inode, as getxattr(2) would give them (POSIX ACLs in the kernel's form), without those that are the filesystem's own affair
/// ("system.data" and the encryption context).
Result<std::vector<ExtendedAttribute>> read_xattrs(const Disk& disk, const InodeView& inode);

/// The value of "system.data" in the inode's spare bytes: what of inline content is over 60 bytes. Empty where there is none. Points into the inode.
Result<ByteView> inline_data_tail(const Disk& disk, const InodeView& inode);

}  // namespace icecore::fs::ext4
