// The bytes of a volume or snapshot, as 512 KiB blocks: a sparse file and what was put over it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace icelab {

constexpr std::size_t kBlockSize = 524'288;
using BlockIndex = std::uint32_t;

// A raw sparse file. Threads may share it.
class BlockFile {
 public:
  // Throws std::runtime_error naming the file when it cannot be opened.
  explicit BlockFile(const std::string& path);
  ~BlockFile();
  BlockFile(const BlockFile&) = delete;
  BlockFile& operator=(const BlockFile&) = delete;

  BlockIndex block_count() const { return block_count_; }

  // The first block at or after `from` that holds a data extent and a byte that is not zero.
  std::optional<BlockIndex> next_written(BlockIndex from);

  std::string read(BlockIndex index) const;  // always kBlockSize bytes, zeros past the end
  std::string checksum(BlockIndex index);    // base64 SHA-256, computed once

 private:
  bool is_written(BlockIndex index);

  int fd_ = -1;
  std::uint64_t size_ = 0;
  BlockIndex block_count_ = 0;
  std::vector<std::pair<BlockIndex, BlockIndex>> extents_;  // [first, last] blocks that hold data extents
  std::mutex mutex_;                                        // guards what follows
  std::vector<std::uint8_t> state_;                         // 0 unknown, 1 zeros, 2 written
  std::map<BlockIndex, std::string> checksums_;
};

// A block that replaces the file's: in memory, or in a file of its own.
struct BlockPiece {
  std::string path;
  std::string bytes;
  std::string checksum;
  bool zero = false;
};

using BlockPieces = std::map<BlockIndex, std::shared_ptr<const BlockPiece>>;

std::shared_ptr<const BlockPiece> piece_from_file(const std::string& path);
std::shared_ptr<const BlockPiece> piece_from_bytes(std::string bytes);

// Immutable: a write to a volume makes a new image that shares all but the block written, so a snapshot
// keeps the moment at which it was taken for free.
class BlockImage {
 public:
  BlockImage(std::shared_ptr<BlockFile> base, BlockPieces pieces) : base_(std::move(base)), pieces_(std::move(pieces)) {}

  std::optional<BlockIndex> next_written(BlockIndex from) const;
  bool is_written(BlockIndex index) const { return next_written(index) == index; }
  std::string read(BlockIndex index) const;
  std::string checksum(BlockIndex index) const;
  bool same_block(const BlockImage& other, BlockIndex index) const;
  std::shared_ptr<const BlockImage> with(BlockIndex index, std::string bytes) const;

 private:
  std::shared_ptr<BlockFile> base_;  // may be null: all zeros
  BlockPieces pieces_;
};

}  // namespace icelab
