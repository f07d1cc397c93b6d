#include "fs/ext4/indirect_map.h"

#include <fmt/format.h>
#include <unordered_set>

#include "fs/ext4/extent_tree.h"

namespace icecore::fs::ext4 {
namespace {

class Walker {
 public:
  Walker(const Disk& disk, const InodeView& inode, std::uint64_t first, std::uint64_t last)
      : disk_(disk), inode_(inode), first_(first), last_(last), per_block_(disk.superblock.block_size / 4) {}

  BlockMap run() {
    const auto done = walk_root();
    if (!done) {
      map_.damage = done.error();
      map_.known = next_;
    }
    return std::move(map_);
  }

 private:
  Result<void> walk_root() {
    const ByteView root = inode_.block();
    for (std::size_t i = 0; i < kDirectBlocks; ++i) ICECORE_CHECK(pointer(load_le<std::uint32_t>(root, 4 * i), 0, 0));
    for (std::size_t i = 0; i < 3; ++i)
      ICECORE_CHECK(pointer(load_le<std::uint32_t>(root, 4 * (kDirectBlocks + i)), static_cast<unsigned>(i + 1), 0));
    return {};
  }

  std::uint64_t span_of(unsigned level) const {
    std::uint64_t span = 1;
    while (level-- > 0) span *= per_block_;
    return span;
  }

  // `block` covers the next span_of(level) logical blocks; 0 is a hole.
  Result<void> pointer(std::uint64_t block, unsigned level, std::uint64_t parent) {
    const std::uint64_t span = span_of(level);
    if (next_ >= last_) return {};
    if (block == 0 || next_ + span <= first_) {
      next_ += span;
      return {};
    }
    if (!disk_.inside(block, 1)) return disk_.corrupt(fmt::format("block map: block {} is outside the filesystem", block), inode_.number(), parent);
    if (level == 0) {
      append_run(map_, Run{next_++, block, 1, false});
      return {};
    }
    if (!seen_.insert(block).second) return disk_.corrupt(fmt::format("block map: indirect block {} is used twice", block), inode_.number(), parent);
    ICECORE_ASSIGN(const Bytes bytes, disk_.load_block(block));
    ++map_.index_blocks;
    for (std::size_t i = 0; i < per_block_; ++i) ICECORE_CHECK(pointer(load_le<std::uint32_t>(bytes, 4 * i), level - 1, block));
    return {};
  }

  const Disk& disk_;
  const InodeView& inode_;
  const std::uint64_t first_, last_;
  const std::size_t per_block_;
  std::unordered_set<std::uint64_t> seen_;
  std::uint64_t next_ = 0;
  BlockMap map_;
};

}  // namespace

BlockMap map_indirect(const Disk& disk, const InodeView& inode, std::uint64_t first, std::uint64_t last) {
  return Walker(disk, inode, first, last).run();
}

}  // namespace icecore::fs::ext4
