// A hostile superblock, and the arithmetic of what passes: every block and inode that the superblock contains lies on its disk. Input: two addresses
// (u64, little-endian), then the sector.
#include "fs/xfs/superblock.h"
#include "xfs_parts.h"

using namespace icecore;
using fuzz::xfs::require;

namespace {

void check_block(const fs::xfs::Superblock& super, std::uint64_t block, std::uint64_t count) {
  if (!super.contains_block(block, count)) return;
  const std::uint64_t offset = super.block_offset(block);
  require(offset < super.size() && count << super.block_log <= super.size() - offset, "a block that is contained lies on the disk");
  const auto ag = static_cast<std::uint32_t>(block >> super.ag_block_log);
  require(count <= super.blocks_in_ag(ag), "no extent is larger than its group");
  require(super.block_of(ag, static_cast<std::uint32_t>(block & ((std::uint64_t{1} << super.ag_block_log) - 1))) == block, "an address has one form");
}

void check_inode(const fs::xfs::Superblock& super, std::uint64_t inode) {
  if (!super.contains_inode(inode)) return;
  const std::uint64_t offset = super.inode_offset(inode);
  require(offset < super.size() && super.inode_size <= super.size() - offset, "an inode that is contained lies on the disk");
}

}  // namespace

// A value of fixed size, a label of 12 bytes and one message of an error.
const icecore::fuzz::Budget icecore::fuzz::kBudget{.times = 1, .base = 4 << 10, .seconds = 1};

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const ByteView in = fuzz::view_of(data, size);
  if (in.size() < 16) return;
  const auto super = fs::xfs::parse_superblock(in.subspan(16), "fuzz");
  if (!super) return;
  const auto one = load_le<std::uint64_t>(in, 0), other = load_le<std::uint64_t>(in, 8);
  check_block(*super, one, other);
  check_block(*super, one, 1);
  check_inode(*super, one);
  // The far edge: the last group's last block and inode, made as a tree's pointer is.
  const std::uint32_t last_group = super->ag_count - 1;
  const std::uint32_t last_block = super->blocks_in_ag(last_group) - 1;
  const std::uint64_t last = super->block_of(last_group, last_block);
  require(super->contains_block(last) && super->block_offset(last) + super->block_size == super->size(), "the last block ends the disk");
  require(super->inode_of(last_group, last_block << super->inodes_per_block_log) == last << super->inodes_per_block_log,
          "an inode's number is its block's and its place there");
  check_inode(*super, (last << super->inodes_per_block_log) + super->inodes_per_block() - 1);
  require(fs::xfs::uuid_text(super->uuid).size() == 36, "a UUID has 36 characters");
}
