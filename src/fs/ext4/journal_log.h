// The journal file: its superblock, and its blocks by number.
#pragma once

#include <cstdint>
#include <optional>

#include "fs/ext4/block_map.h"
#include "fs/ext4/journal_format.h"

namespace icecore::fs::ext4 {

struct JournalSuperblock {
  std::uint32_t first = 0, end = 0;   ///< the log is [first, end) and wraps
  std::uint32_t fast_commit_end = 0;  ///< fast commits lie in (end, fast_commit_end)
  std::uint32_t sequence = 0, start = 0;
  std::uint32_t compat = 0, incompat = 0;
  std::uint32_t checksum_seed = 0;

  bool has(std::uint32_t bit) const { return (incompat & bit) != 0; }
  bool checksums() const { return has(jbd2::kIncompatChecksumV2 | jbd2::kIncompatChecksumV3); }
  std::size_t tag_bytes() const;
  /// Bytes at the end of descriptor and revoke blocks that hold their checksum.
  std::size_t tail_bytes() const { return checksums() ? 4 : 0; }
  std::uint32_t next(std::uint32_t block, std::uint32_t steps = 1) const;
};

/// Reads the log's blocks in order with windows that grow, each announced by one prefetch.
class JournalLog {
 public:
  /// kCorrupt or kUnsupported where it cannot be replayed.
  static Result<JournalLog> open(const Disk& disk);

  const JournalSuperblock& superblock() const { return superblock_; }
  /// The block's bytes; valid until the next call.
  Result<ByteView> read(std::uint32_t block);
  /// `count` blocks from `block`, all inside the journal, without announcing them.
  Result<void> read_many(std::uint32_t block, std::uint32_t count, Bytes& out) const;
  /// Announces the whole log as one prefetch.
  Result<void> announce_all() const { return announce_range(superblock_.first, superblock_.fast_commit_end); }
  /// Byte in the source where a journal block lies.
  Result<std::uint64_t> offset_of(std::uint32_t block) const;
  std::uint32_t block_size() const { return disk_->superblock.block_size; }

 private:
  JournalLog(const Disk& disk, BlockMap map) : disk_(&disk), map_(std::move(map)) {}
  Result<void> decode_superblock();
  Result<void> announce(std::uint32_t block);
  Result<void> announce_range(std::uint32_t from, std::uint32_t to) const;

  const Disk* disk_;
  BlockMap map_;
  JournalSuperblock superblock_;
  Bytes buffer_;
  std::uint32_t announced_from_ = 0, announced_to_ = 0;
  std::uint32_t announced_bytes_ = 0;
};

}  // namespace icecore::fs::ext4
