// What a fork maps: records inside the inode, or a B+tree of blocks ("bmbt").
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "fs/xfs/inode.h"
#include "fs/xfs/reader.h"

namespace icecore::fs::xfs {

struct Mapping {
  std::uint64_t file_block = 0;
  std::uint64_t fs_block = 0;
  std::uint32_t count = 0;
  bool unwritten = false;

  std::uint64_t end() const { return file_block + count; }
};

/// xfs_bmbt_rec: 1 bit unwritten, 54 file offset, 52 block, 21 count.
Mapping decode_mapping(ByteView record, std::size_t offset);

/// One block of the tree, checked: the children of a node, or the mappings of a leaf.
struct MapBlock {
  std::vector<std::uint64_t> children;
  std::vector<Mapping> mappings;
};
/// `level` is the one that the parent promises.
Result<MapBlock> parse_map_block(const Superblock& super, ByteView block, unsigned level, const Location& where);

/// The root in the inode: level (at least 1) and children.
struct MapRoot {
  unsigned level = 0;
  std::vector<std::uint64_t> children;
};
Result<MapRoot> parse_map_root(const Superblock& super, const Fork& fork, const Location& where);

/// Mappings of an extents fork; kCorrupt where they do not fit.
Result<std::vector<Mapping>> parse_extent_list(const Fork& fork, const Location& where);

/// Adds mappings checked for order, overlap and (unless `realtime`) place.
Result<void> check_mappings(const Superblock& super, std::span<const Mapping> mappings, bool realtime, const Location& where);

/// Everything that `fork` maps, ascending; one prefetch a level of the tree. Memory: 24 bytes a mapping, never more than the tree's blocks hold.
/// kCorrupt also where a block's checksum is wrong: content from the wrong place would pass for the file's.
Result<std::vector<Mapping>> read_mappings(const Reader& reader, const Fork& fork, bool realtime, const Location& where);

/// What the fork of a free inode still maps: the records from its start that make sense.
std::vector<Mapping> remnant_mappings(const Superblock& super, const Fork& fork);

}  // namespace icecore::fs::xfs
