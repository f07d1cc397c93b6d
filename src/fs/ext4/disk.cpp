#include "fs/ext4/disk.h"

#include <fmt/format.h>

namespace icecore::fs::ext4 {

Result<std::uint64_t> Disk::inode_offset(std::uint64_t inode) const {
  const Location where{source->name(), std::nullopt, inode};
  if (inode == 0 || inode > superblock.inodes)
    return fail(Code::kNotFound, fmt::format("no inode {}: the filesystem has {}", inode, superblock.inodes), where);
  const std::uint64_t group = (inode - 1) / superblock.inodes_per_group;
  if (group >= groups.size() || groups[group].inode_table == 0) return fail(Code::kCorrupt, "the inode's table is not there", where);
  return groups[group].inode_table * superblock.block_size + (inode - 1) % superblock.inodes_per_group * superblock.inode_size;
}

Result<Inode> Disk::load_inode(std::uint64_t inode) const {
  ICECORE_ASSIGN(const std::uint64_t offset, inode_offset(inode));
  Bytes raw(superblock.inode_size);
  ICECORE_CHECK(source->read(offset, raw));
  return Inode(inode, std::move(raw), offset);
}

bool Disk::inside(std::uint64_t block, std::uint64_t count) const {
  return block > superblock.first_data_block && block < superblock.blocks && count <= superblock.blocks - block;
}

Result<Bytes> Disk::load_block(std::uint64_t block) const {
  if (!inside(block, 1)) return fail(Code::kCorrupt, fmt::format("block {} is outside the filesystem", block), Location{source->name()});
  Bytes bytes(superblock.block_size);
  ICECORE_CHECK(source->read(block * superblock.block_size, bytes));
  return bytes;
}

Failure Disk::corrupt(std::string message, std::uint64_t inode, std::uint64_t block) const {
  const auto offset = block != 0 ? std::optional(block * superblock.block_size) : std::nullopt;
  return fail(Code::kCorrupt, std::move(message), Location{source->name(), offset, inode});
}

}  // namespace icecore::fs::ext4
