#include "fs/ext4/fast_commit_blocks.h"

#include <algorithm>

#include "core/hash.h"
#include "fs/ext4/fast_commit_inode.h"

namespace icecore::fs::ext4 {
namespace {

std::uint8_t dirent_type(FileType type) {
  switch (type) {
    case FileType::kRegular: return 1;
    case FileType::kDirectory: return 2;
    case FileType::kCharacterDevice: return 3;
    case FileType::kBlockDevice: return 4;
    case FileType::kFifo: return 5;
    case FileType::kSocket: return 6;
    case FileType::kSymlink: return 7;
    default: return 0;
  }
}

}  // namespace

Result<std::uint64_t> FreeBlocks::take(std::uint64_t near_inode) {
  const Superblock& sb = disk_.superblock;
  const std::uint64_t start = (near_inode - 1) / sb.inodes_per_group;
  for (std::uint64_t i = 0; i < disk_.groups.size(); ++i) {
    const std::uint64_t group = (start + i) % disk_.groups.size();
    if (full_.contains(group) || (disk_.groups[group].flags & kGroupBlockUninit) != 0) continue;
    ICECORE_ASSIGN(const Bytes bitmap, disk_.load_block(disk_.groups[group].block_bitmap));
    const std::uint64_t first = sb.first_data_block + group * sb.blocks_per_group;
    const std::uint64_t bits = std::min<std::uint64_t>(bitmap.size() * 8, sb.blocks_per_group / sb.cluster_blocks);
    for (std::uint64_t bit = 0; bit < bits; ++bit) {
      const std::uint64_t block = first + bit * sb.cluster_blocks;
      const bool used = (std::to_integer<unsigned>(bitmap[static_cast<std::size_t>(bit / 8)]) >> (bit % 8) & 1U) != 0;
      if (used || !disk_.inside(block, 1) || claimed_.overlaps(block, block + 1)) continue;
      claim(block, 1);
      return block;
    }
    full_.insert(group);
  }
  return disk_.corrupt("fast commit: no free block for a folder", near_inode);
}

Bytes DirectoryWriter::empty() const {
  Bytes block(sb_.block_size);
  store_length(block, 0, room(block));
  if (!sb_.checksums()) return block;
  store_le16(block, room(block) + 4, kDirentTailSize);
  block[room(block) + 7] = std::byte{kDirentTailType};
  return block;
}

// ext4_init_new_dir()
Bytes DirectoryWriter::first(std::uint64_t folder, std::uint64_t parent) const {
  Bytes block = empty();
  const std::size_t all = room(block);
  store_length(block, 0, 12);
  store_entry(block, 0, folder, ".", FileType::kDirectory);
  store_length(block, 12, all - 12);
  store_entry(block, 12, parent, "..", FileType::kDirectory);
  return block;
}

void DirectoryWriter::store_length(Bytes& block, std::size_t at, std::size_t length) { store_le16(block, at + 4, length == 65536 ? 65535 : length); }

void DirectoryWriter::store_entry(Bytes& block, std::size_t at, std::uint64_t inode, std::string_view name, FileType type) const {
  store_le32(block, at, inode);
  block[at + 6] = static_cast<std::byte>(name.size());
  block[at + 7] = static_cast<std::byte>(sb_.incompat(incompat::kFiletype) ? dirent_type(type) : 0);
  std::ranges::copy(as_bytes(name), block.begin() + static_cast<std::ptrdiff_t>(at + kDirentHeader));
}

void DirectoryWriter::seal(Bytes& block, std::uint32_t seed) const {
  if (sb_.checksums()) store_le32(block, block.size() - 4, crc32c(seed, ByteView(block).first(room(block))));
}

std::string_view DirectoryWriter::name_at(const Bytes& block, std::size_t at) {
  const auto size = std::to_integer<std::size_t>(block[at + 6]);
  return at + kDirentHeader + size <= block.size() ? as_text(ByteView(block).subspan(at + kDirentHeader, size)) : std::string_view();
}

}  // namespace icecore::fs::ext4
