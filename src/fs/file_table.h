// The result of a sweep: all inodes and all names of a filesystem as two flat tables, joined into paths only when they are written out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/timestamp.h"

namespace icecore::fs {

enum class FileType : std::uint8_t { kUnknown, kRegular, kDirectory, kSymlink, kCharacterDevice, kBlockDevice, kFifo, kSocket };

/// From the S_IFMT bits of a mode.
FileType file_type_of_mode(std::uint32_t mode);
/// `-rwsr-xr-x`, as ls writes it; "?" first where the type is unknown.
std::string mode_string(FileType type, std::uint32_t mode);

struct FileInfo {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::uint64_t inode_offset = 0;  ///< byte of the inode's record in the filesystem's BlockSource
  Timestamp accessed, modified, changed;
  std::optional<Timestamp> born;
  std::optional<Timestamp> deleted;
  std::uint32_t mode = 0;  ///< S_IFMT and the permission bits
  std::uint32_t uid = 0, gid = 0, links = 0;
  std::uint32_t generation = 0;
  std::uint32_t device = 0;  ///< major << 20 | minor of a device node
  FileType type = FileType::kUnknown;
  bool allocated = true;
};

/// One name of an inode. The text is in the table's pool.
struct Name {
  std::uint64_t parent = 0;
  std::uint64_t inode = 0;
  std::uint64_t text_offset = 0;
  std::uint16_t text_length = 0;
  bool deleted = false;  ///< from slack or a journal copy
};

struct FileTable {
  std::uint64_t root_inode = 0;
  std::vector<FileInfo> files;  ///< ascending by inode, each once
  std::vector<Name> names;      ///< in disk order of their directories
  std::string text;             ///< the pool of name bytes

  /// Where in `files` an inode is. By binary search; in constant time after build_index(), and then mostly without a look at `files`: a disk of
  /// millions of them is larger than any cache. Thread-safe while the table is not changed.
  std::optional<std::size_t> index_of(std::uint64_t inode) const;
  const FileInfo* find(std::uint64_t inode) const;
  /// Makes find() fast. Call it once, after the last change to `files`; a later change makes the index wrong.
  void build_index();

  std::string_view text_of(const Name& name) const { return std::string_view(text).substr(name.text_offset, name.text_length); }

 private:
  // Inodes fall into pages of 64. Dense numbers (ext4): starts_[page] is the page's first file. Sparse ones (XFS with many groups): the same for the
  // page numbers in pages_, ascending.
  std::vector<std::uint64_t> pages_;
  std::vector<std::uint32_t> starts_;
};

/// Paths of directories by inode, made once from a table. Loops, missing parents and paths over 4096 bytes: "/$Orphan/<inode>". Then thread-safe.
class PathIndex {
 public:
  explicit PathIndex(const FileTable& table);
  /// "" for the root, "/etc/ssh" for others: append "/" and a name.
  const std::string& directory(std::uint64_t inode) const;
  std::string path_of(const Name& name) const;

 private:
  const FileTable& table_;
  std::vector<std::uint64_t> inodes_;  // ascending; same index as paths_
  std::vector<std::string> paths_;
  std::string unknown_ = "/$Orphan";
};

}  // namespace icecore::fs
