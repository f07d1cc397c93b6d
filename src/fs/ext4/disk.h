// One opened ext filesystem, as its parsers share it: the bytes, the geometry, the groups.
#pragma once

#include <string>
#include <vector>

#include "fs/ext4/group_table.h"
#include "fs/ext4/inode.h"
#include "fs/ext4/superblock.h"
#include "image/block_source.h"

namespace icecore::fs::ext4 {

/// An inode with the bytes it was read from.
class Inode {
 public:
  Inode(std::uint64_t number, Bytes raw, std::uint64_t offset) : raw_(std::move(raw)), number_(number), offset_(offset) {}
  InodeView view() const { return {number_, raw_}; }
  std::uint64_t offset() const { return offset_; }

 private:
  Bytes raw_;
  std::uint64_t number_, offset_;
};

struct Disk {
  image::SourcePtr source;
  Superblock superblock;
  std::vector<Group> groups;

  /// Byte of an inode's record; kNotFound for a number that is not of this filesystem, kCorrupt where its table is not there.
  Result<std::uint64_t> inode_offset(std::uint64_t inode) const;
  /// Reads one record. Does not judge its content.
  Result<Inode> load_inode(std::uint64_t inode) const;
  /// Reads one block; kCorrupt outside the filesystem.
  Result<Bytes> load_block(std::uint64_t block) const;
  /// Blocks [block, block + count) are inside the filesystem and behind the boot block.
  bool inside(std::uint64_t block, std::uint64_t count) const;
  Failure corrupt(std::string message, std::uint64_t inode, std::uint64_t block = 0) const;
};

}  // namespace icecore::fs::ext4
