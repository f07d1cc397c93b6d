// Inode records: times, devices, sizes, the bytes that lie inside, links.
#include "ext4_parts.h"
#include "fs/ext4/content.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  namespace e = fs::ext4;
  look_at_files(data, size, [](const e::Disk& disk, const e::InodeView& inode) {
    (void)inode.info(disk.superblock, 0);
    (void)inode.checksum_ok(disk.superblock);
    (void)inode.xattr_block(disk.superblock);
    (void)inode.sectors(disk.superblock);
    (void)inode.xattr_area();
    (void)e::inline_content(disk, inode);
    (void)e::read_link_target(disk, inode);
  });
}
