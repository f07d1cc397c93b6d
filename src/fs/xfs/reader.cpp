#include "fs/xfs/reader.h"

#include <fmt/format.h>

namespace icecore::fs::xfs {

Result<Bytes> Reader::blocks(std::uint64_t fs_block, std::uint32_t count) const {
  if (!super.contains_block(fs_block, count))
    return fail(Code::kCorrupt, fmt::format("XFS block {:#x} (+{}) lies outside of the filesystem", fs_block, count), Location{source->name()});
  return bytes(super.block_offset(fs_block), std::size_t{count} << super.block_log);
}

Result<void> Reader::prefetch_blocks(std::span<const std::uint64_t> fs_blocks, std::uint32_t blocks_each) const {
  std::vector<image::ByteRange> ranges;
  ranges.reserve(fs_blocks.size());
  for (const std::uint64_t block : fs_blocks)
    if (super.contains_block(block, blocks_each)) ranges.push_back({super.block_offset(block), std::uint64_t{blocks_each} << super.block_log});
  return source->prefetch(ranges);
}

}  // namespace icecore::fs::xfs
