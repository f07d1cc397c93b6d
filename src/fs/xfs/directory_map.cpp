#include "fs/xfs/directory_map.h"

#include <fmt/format.h>
#include <algorithm>

namespace icecore::fs::xfs {

void for_each_directory_block(const Superblock& super, std::uint64_t directory, std::span<const Mapping> mappings,
                              const std::function<bool(DirectoryBlock&&)>& sink) {
  const std::uint64_t per_block = super.directory_block_size >> super.block_log;
  const std::uint64_t limit = dir::kLeafOffset >> super.block_log;
  DirectoryBlock current;
  std::uint64_t have = 0;
  bool open = false;
  const auto flush = [&] {
    if (!open) return true;
    open = false;
    if (have != per_block) current.pieces.clear();
    return sink(std::move(current));
  };
  for (const Mapping& mapping : mappings) {
    for (std::uint64_t block = mapping.file_block; block < mapping.end();) {
      if (block >= limit) {
        flush();
        return;
      }
      const std::uint64_t index = block / per_block;
      if (!open || current.index != index) {
        if (!flush()) return;
        current = DirectoryBlock{directory, index, {}};
        have = 0;
        open = true;
      }
      const std::uint64_t take = std::min((index + 1) * per_block, mapping.end()) - block;
      current.pieces.push_back({block, mapping.fs_block + (block - mapping.file_block), static_cast<std::uint32_t>(take), mapping.unwritten});
      have += take;
      block += take;
    }
  }
  flush();
}

Result<void> read_directory_block(const Reader& reader, const DirectoryBlock& block, Bytes& out) {
  out.resize(reader.super.directory_block_size);
  std::size_t at = 0;
  for (const Mapping& piece : block.pieces) {
    const std::size_t length = std::size_t{piece.count} << reader.super.block_log;
    ICECORE_CHECK(reader.source->read(reader.super.block_offset(piece.fs_block), std::span(out).subspan(at, length)));
    at += length;
  }
  if (at != out.size())
    return fail(Code::kCorrupt, fmt::format("block {} of the directory is not there whole", block.index),
                Location{reader.source->name(), std::nullopt, block.directory});
  return {};
}

}  // namespace icecore::fs::xfs
