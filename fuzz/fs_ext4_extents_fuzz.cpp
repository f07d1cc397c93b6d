// Extent trees, and what is read through them.
#include "ext4_parts.h"
#include "fs/ext4/content.h"
#include "fs/ext4/extent_tree.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  namespace e = fs::ext4;
  look_at_files(data, size, [](const e::Disk& disk, const e::InodeView& inode) {
    const e::BlockMap whole = e::map_extents(disk, inode, 0, UINT64_MAX);
    (void)e::map_extents(disk, inode, 3, 9);
    if (!whole.runs.empty()) (void)e::map_extents(disk, inode, whole.runs.back().logical, UINT32_MAX);
    std::vector<image::ByteRange> ranges;
    e::append_index_blocks(disk, inode, ranges);
    std::byte buffer[3000];
    (void)e::read_content(disk, inode, 500, buffer);
  });
}
