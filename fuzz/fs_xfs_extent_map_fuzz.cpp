// What a hostile inode's forks map: records in the inode, and trees of blocks.
#include <array>

#include "fs/xfs/extent_map.h"
#include "xfs_parts.h"

using namespace icecore;
using fuzz::xfs::require;

namespace {

void check(const fs::xfs::Superblock& super, const Result<std::vector<fs::xfs::Mapping>>& mappings, bool realtime) {
  if (!mappings) return require(mappings.error().code == Code::kCorrupt, "damage is kCorrupt");
  std::uint64_t next = 0;
  for (const fs::xfs::Mapping& mapping : *mappings) {
    require(mapping.count > 0 && mapping.file_block >= next, "mappings ascend and do not overlap");
    require(realtime || super.contains_block(mapping.fs_block, mapping.count), "mappings lie on the disk");
    next = mapping.end();
    require(next << super.block_log >> super.block_log == next, "a file's end can be counted in bytes");
  }
}

}  // namespace

// A record of 16 bytes becomes a mapping of 24: once of its block, and thrice of the whole fork while that grows.
const icecore::fuzz::Budget icecore::fuzz::kBudget{.times = 6, .base = 64 << 10};

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const auto input = fuzz::xfs::input_of(fuzz::view_of(data, size));
  if (!input) return;
  const fs::xfs::Superblock& super = input->reader.super;
  const auto record = fuzz::xfs::record_of(*input);
  if (!record) return;
  const Location where = input->reader.at(0, input->number);
  if (const auto inode = fs::xfs::parse_inode(super, input->number, *record, "fuzz")) {
    check(super, fs::xfs::read_mappings(input->reader, inode->data, inode->realtime, where), inode->realtime);
    check(super, fs::xfs::read_mappings(input->reader, inode->attributes, false, where), false);
  }
  // The record's bytes as each of the other things: a fork without an inode around it, and a block of a tree at any level.
  const fs::xfs::Fork fork{fs::xfs::ForkFormat::kBtree, input->number % 256, *record};
  (void)fs::xfs::parse_map_root(super, fork, where).has_value();
  if (const auto list = fs::xfs::parse_extent_list(fork, where)) (void)fs::xfs::check_mappings(super, *list, false, where).has_value();
  for (const unsigned level : {0U, 1U, 8U}) (void)fs::xfs::parse_map_block(super, *record, level, where).has_value();
}
