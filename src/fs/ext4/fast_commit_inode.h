// An inode while fast commits are applied to it: its record and its block map, both to be written back.
#pragma once

#include <map>
#include <vector>

#include "fs/ext4/block_map.h"

namespace icecore::fs::ext4 {

/// The low bits of `value`: ext4 keeps many numbers in two halves.
inline void store_le16(std::span<std::byte> out, std::size_t at, std::uint64_t value) { store_le(out, at, static_cast<std::uint16_t>(value)); }
inline void store_le32(std::span<std::byte> out, std::size_t at, std::uint64_t value) { store_le(out, at, static_cast<std::uint32_t>(value)); }

/// A block map that can be changed: runs by their first logical block, disjoint.
class RangeMap {
 public:
  explicit RangeMap(const std::vector<Run>& runs = {}) {
    for (const Run& run : runs) runs_.emplace(run.logical, run);
  }
  void set(const Run& run) {
    clear(run.logical, run.length);
    runs_.emplace(run.logical, run);
  }
  void clear(std::uint64_t logical, std::uint64_t length);
  /// The physical block of a logical one; 0 for a hole.
  std::uint64_t find(std::uint64_t logical) const;
  /// Neighbours merged and none longer than one extent can say.
  std::vector<Run> extents() const;
  const std::map<std::uint64_t, Run>& runs() const { return runs_; }

 private:
  std::map<std::uint64_t, Run> runs_;
};

/// struct ext4_extent_header and the extents behind it. Precondition: they fit into `out`.
void encode_extent_leaf(std::span<std::byte> out, std::span<const Run> runs);
/// The same for index entries of depth 1: (first logical block, block of the leaf).
void encode_extent_index(std::span<std::byte> out, std::span<const std::pair<std::uint64_t, std::uint64_t>> children);
/// Sets the tail of an index block.
void seal_extent_block(std::span<std::byte> block, std::uint32_t inode_seed);
/// Sets the checksum of a record.
void seal_inode(const Superblock& superblock, std::uint64_t number, std::span<std::byte> raw);

}  // namespace icecore::fs::ext4
