// What fast commits need of blocks: free ones, and a folder's plain ones as they are changed.
#pragma once

#include <set>
#include <string_view>

#include "fs/block_set.h"
#include "fs/ext4/disk.h"

namespace icecore::fs::ext4 {

/// Blocks that neither the bitmaps nor the records give to anyone.
class FreeBlocks {
 public:
  explicit FreeBlocks(const Disk& disk) : disk_(disk) {}
  /// Gives [block, block + count) to a file.
  void claim(std::uint64_t block, std::uint64_t count) { claimed_.add(block, block + count); }
  /// One that is free then, from the groups behind that of `near_inode`; kCorrupt where there is none.
  Result<std::uint64_t> take(std::uint64_t near_inode);

 private:
  const Disk& disk_;
  BlockSet claimed_;
  std::set<std::uint64_t> full_;  // groups in which no block is left to take
};

/// Writes the records of a folder's plain blocks. Preconditions: records lie inside the block.
class DirectoryWriter {
 public:
  explicit DirectoryWriter(const Superblock& superblock) : sb_(superblock) {}

  /// Bytes for records.
  std::size_t room(const Bytes& block) const { return block.size() - (sb_.checksums() ? kDirentTailSize : 0); }
  Bytes empty() const;
  /// A new folder's first block: "." and "..".
  Bytes first(std::uint64_t folder, std::uint64_t parent) const;
  static void store_length(Bytes& block, std::size_t at, std::size_t length);
  /// All of a record but its length.
  void store_entry(Bytes& block, std::size_t at, std::uint64_t inode, std::string_view name, FileType type) const;
  /// Sets the checksum, where the filesystem has them. `seed`: of the folder's inode.
  void seal(Bytes& block, std::uint32_t seed) const;
  /// Empty where it does not fit.
  static std::string_view name_at(const Bytes& block, std::size_t at);

 private:
  const Superblock& sb_;
};

}  // namespace icecore::fs::ext4
