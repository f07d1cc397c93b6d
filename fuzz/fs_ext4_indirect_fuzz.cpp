// The block maps of ext2 and ext3: direct, and of one, two and three levels.
#include "ext4_parts.h"
#include "fs/ext4/indirect_map.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  namespace e = fs::ext4;
  look_at_files(data, size, [](const e::Disk& disk, const e::InodeView& inode) {
    (void)e::map_indirect(disk, inode, 0, UINT64_MAX);
    (void)e::map_indirect(disk, inode, 10, 300);
    (void)e::map_indirect(disk, inode, 12 + 256 + 65536, UINT32_MAX);
    std::vector<image::ByteRange> ranges;
    e::append_index_blocks(disk, inode, ranges);
  });
}
