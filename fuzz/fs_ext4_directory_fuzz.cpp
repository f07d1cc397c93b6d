// Directory blocks: live entries and names in slack, hash tree nodes, tails, directories inside inodes, encrypted names. An input: options (u8), then
// one block.
#include "ext4_parts.h"
#include "fs/ext4/directory.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  namespace e = fs::ext4;
  if (size == 0) return;
  const ByteView block = view_of(data + 1, size - 1);
  const e::Superblock superblock = ext4_superblock(data[0] | kWithChecksums, 64);
  const auto look = [](const e::Dirent& entry) {
    (void)e::shown_name(entry.name, false);
    (void)e::shown_name(entry.name, true);
  };
  for (const bool slack : {false, true}) {
    const e::DirentOptions options{(data[0] & kWithoutFiletype) == 0, slack, kExt4Inodes};
    (void)e::for_each_dirent(block, options, look);
    if (block.size() < e::kInodeBlockBytes) continue;
    for (const ByteView part : e::inline_directory_parts(block)) (void)e::for_each_dirent(part, options, look);
  }
  if (block.size() < 1024) return;
  (void)e::is_tree_node(block);
  (void)e::directory_checksum_ok(superblock, 1, block);
}
