// Extended attributes: in the inode, in a block, their values in inodes of their own.
#include "ext4_parts.h"
#include "fs/ext4/xattr.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  namespace e = fs::ext4;
  look_at_files(data, size, [](const e::Disk& disk, const e::InodeView& inode) {
    (void)e::read_xattrs(disk, inode);
    (void)e::inline_data_tail(disk, inode);
  });
}
