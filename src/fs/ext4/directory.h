// Directory blocks. Tree (htree) directories are read as what they also are: plain lists, whose index blocks look empty.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "fs/ext4/disk.h"

namespace icecore::fs::ext4 {

struct Dirent {
  std::uint64_t inode = 0;
  std::string_view name;  ///< into the block
  FileType type = FileType::kUnknown;
  bool deleted = false;  ///< found in slack
};

struct DirentOptions {
  bool filetype = true;      ///< the entry's type byte is one (feature filetype), else the high byte of its name's length
  bool slack = false;        ///< also what is left of removed entries
  std::uint64_t inodes = 0;  ///< of the filesystem: larger numbers are not believed
};

/// Calls `found` for every entry but "." and "..". Returns what is wrong with the block, if anything: entries before that were given.
template <typename Found>
std::optional<std::string> for_each_dirent(ByteView block, const DirentOptions& options, Found&& found);

/// The checksum in a directory block's tail or in a tree node's; true where the block has none to check (no metadata_csum).
bool directory_checksum_ok(const Superblock& superblock, std::uint32_t inode_seed, ByteView block);

/// A name as it is shown: itself, or "encrypted:<base64url>" in an encrypted directory.
std::string shown_name(std::string_view stored, bool encrypted);

/// The two pieces of an inline directory (behind the parent's number; the attribute's value) that hold entries. `content` as inline_content() gives
/// it.
std::vector<ByteView> inline_directory_parts(ByteView content);

/// The block is the root or a node of the hash tree: its unused space holds hashes, not old names.
bool is_tree_node(ByteView block);

}  // namespace icecore::fs::ext4

#include "fs/ext4/directory_inline.h"
