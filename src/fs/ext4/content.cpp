#include "fs/ext4/content.h"

#include <fmt/format.h>
#include <algorithm>

#include "fs/ext4/xattr.h"

namespace icecore::fs::ext4 {
namespace {

constexpr std::uint64_t kMaximumLink = 4096;  // PATH_MAX

Failure encrypted(const Disk& disk, const InodeView& inode, std::string_view what) {
  return fail(Code::kUnsupported, fmt::format("the {} is encrypted (fscrypt); its key is not on the disk", what),
              Location{disk.source->name(), std::nullopt, inode.number()});
}

Result<void> read_runs(const Disk& disk, const BlockMap& map, std::uint64_t offset, std::span<std::byte> out) {
  const std::uint64_t block_size = disk.superblock.block_size;
  struct Piece {
    image::ByteRange range;
    std::size_t to;
  };
  std::vector<Piece> pieces;
  std::vector<image::ByteRange> ranges;
  for (const Run& run : map.runs) {
    if (run.unwritten) continue;
    const std::uint64_t start = std::max(run.logical * block_size, offset);
    const std::uint64_t end = std::min((run.logical + run.length) * block_size, offset + out.size());
    if (start >= end) continue;
    const image::ByteRange range{run.physical * block_size + (start - run.logical * block_size), end - start};
    pieces.push_back({range, static_cast<std::size_t>(start - offset)});
    ranges.push_back(range);
  }
  ICECORE_CHECK(disk.source->prefetch(ranges));
  for (const Piece& piece : pieces)
    ICECORE_CHECK(disk.source->read(piece.range.offset, out.subspan(piece.to, static_cast<std::size_t>(piece.range.length))));
  return {};
}

}  // namespace

Result<Bytes> inline_content(const Disk& disk, const InodeView& inode) {
  const ByteView head = inode.block();
  Bytes bytes(head.begin(), head.end());
  ICECORE_ASSIGN(const ByteView tail, inline_data_tail(disk, inode));
  bytes.insert(bytes.end(), tail.begin(), tail.end());
  return bytes;
}

Result<std::size_t> read_content(const Disk& disk, const InodeView& inode, std::uint64_t offset, std::span<std::byte> out) {
  const std::uint64_t size = inode.size(disk.superblock);
  if (offset >= size) return std::size_t{0};
  if (inode.has(inode_flag::kEncrypt) && inode.type() == FileType::kRegular) return encrypted(disk, inode, "content");
  out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size - offset)));
  std::ranges::fill(out, std::byte{0});
  if (inode.has(inode_flag::kInlineData)) {
    ICECORE_ASSIGN(const Bytes bytes, inline_content(disk, inode));
    if (offset < bytes.size()) {
      const auto count = std::min<std::size_t>(out.size(), bytes.size() - static_cast<std::size_t>(offset));
      std::ranges::copy(ByteView(bytes).subspan(static_cast<std::size_t>(offset), count), out.begin());
    }
    return out.size();
  }
  const std::uint64_t block_size = disk.superblock.block_size;
  const std::uint64_t last = (offset + out.size() - 1) / block_size + 1;  // no overflow: offset + out.size() <= size
  const BlockMap map = map_blocks(disk, inode, offset / block_size, last);
  if (map.damage && map.known < last) return Failure(*map.damage);
  ICECORE_CHECK(read_runs(disk, map, offset, out));
  return out.size();
}

Result<std::string> read_link_target(const Disk& disk, const InodeView& inode) {
  const std::uint64_t size = inode.size(disk.superblock);
  if (inode.has(inode_flag::kEncrypt)) return encrypted(disk, inode, "link's target");
  if (size >= kMaximumLink) return disk.corrupt(fmt::format("a link's target of {} bytes", size), inode.number());
  // A fast link keeps its target where others keep the block map (ext2fs_is_fast_symlink).
  if (size < kInodeBlockBytes && !inode.has(inode_flag::kExtents)) return std::string(as_text(inode.block().first(static_cast<std::size_t>(size))));
  std::string target(static_cast<std::size_t>(size), '\0');
  ICECORE_CHECK(read_content(disk, inode, 0, std::as_writable_bytes(std::span(target))));
  return target;
}

}  // namespace icecore::fs::ext4
