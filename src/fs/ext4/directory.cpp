#include "fs/ext4/directory.h"

#include <array>

#include "core/hash.h"

namespace icecore::fs::ext4 {
namespace {

// get_dx_countlimit() of fs/ext4/namei.c: where a tree root's or node's count and limit lie; 0 where the block is neither.
std::size_t count_limit_offset(ByteView block) {
  const std::size_t first = record_length(block, 0, block.size());
  if (first == block.size() && load_le<std::uint32_t>(block, 0) == 0) return 8;
  if (first != 12 || record_length(block, 12, block.size()) != block.size() - 12) return 0;
  // struct dx_root_info: reserved_zero, hash_version, info_length, …
  if (load_le<std::uint32_t>(block, 24) != 0 || std::to_integer<unsigned>(block[29]) != 8) return 0;
  return 32;
}

bool has_tail(ByteView block) {
  const ByteView tail = block.last(kDirentTailSize);
  return load_le<std::uint32_t>(tail, 0) == 0 && load_le<std::uint16_t>(tail, 4) == kDirentTailSize && std::to_integer<unsigned>(tail[6]) == 0 &&
         std::to_integer<std::uint8_t>(tail[7]) == kDirentTailType;
}

bool tree_checksum_ok(std::uint32_t seed, ByteView block, std::size_t at) {
  const std::size_t limit = load_le<std::uint16_t>(block, at), count = load_le<std::uint16_t>(block, at + 2);
  if (count > limit || at + 8 * limit + 8 > block.size()) return false;
  const ByteView tail = block.subspan(at + 8 * limit, 8);
  static constexpr std::array<std::byte, 4> kZero{};
  const std::uint32_t crc = crc32c(crc32c(crc32c(seed, block.first(at + 8 * count)), tail.first(4)), kZero);
  return crc == load_le<std::uint32_t>(tail, 4);
}

}  // namespace

std::vector<ByteView> inline_directory_parts(ByteView content) {
  std::vector<ByteView> parts{content.subspan(4, kInodeBlockBytes - 4)};
  if (content.size() > kInodeBlockBytes) parts.push_back(content.subspan(kInodeBlockBytes));
  return parts;
}

bool is_tree_node(ByteView block) { return block.size() >= 64 && count_limit_offset(block) != 0; }

bool directory_checksum_ok(const Superblock& sb, std::uint32_t inode_seed, ByteView block) {
  if (!sb.checksums()) return true;
  // The tree first: a block that became its root may still end in the tail of the plain block that it was.
  if (const std::size_t at = count_limit_offset(block); at != 0) return tree_checksum_ok(inode_seed, block, at);
  return has_tail(block) && crc32c(inode_seed, block.first(block.size() - kDirentTailSize)) == load_le<std::uint32_t>(block, block.size() - 4);
}

std::string shown_name(std::string_view stored, bool encrypted) {
  if (!encrypted) return std::string(stored);
  std::string text = to_base64(as_bytes(stored));
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (text.ends_with('=')) text.pop_back();
  return "encrypted:" + text;
}

}  // namespace icecore::fs::ext4
