// Buffer and inode-creation items of the log.
#pragma once

#include <cstdint>
#include <map>

#include "fs/xfs/log_transactions.h"
#include "fs/xfs/overlay.h"
#include "fs/xfs/reader.h"

namespace icecore::fs::xfs {

/// The description (xfs_buf_log_format).
struct LoggedBuffer {
  std::uint64_t block = 0;   ///< in units of 512 bytes
  std::uint32_t blocks = 0;  ///< likewise
  std::uint16_t flags = 0;
  ByteView map;  ///< a bit a chunk of 128 bytes
};
Result<LoggedBuffer> parse_logged_buffer(const LogItem& item, const Location& where);

/// Buffers that were freed: what the log has of them before the last such item must not be replayed.
class CancelTable {
 public:
  void add(const LoggedBuffer& buffer) { ++counts_[{buffer.block, buffer.blocks}]; }
  bool holds(std::uint64_t block, std::uint32_t blocks) const { return counts_.contains({block, blocks}); }
  /// Any buffer that holds this block.
  bool covers(std::uint64_t block) const;
  /// True where all of [begin, end) is freed.
  bool covers_all(std::uint64_t begin, std::uint64_t end) const;
  /// One cancel item passed in the second pass.
  void take(const LoggedBuffer& buffer);

 private:
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::uint32_t> counts_;
};

/// Copies the logged chunks, unless the disk has the block from this LSN or a later one. True where it did.
Result<bool> apply_buffer(const Superblock& super, const LogItem& item, const LoggedBuffer& buffer, std::uint64_t lsn, Overlay& overlay,
                          const Location& where);

/// Writes the empty inodes of a new chunk (xfs_ialloc_inode_init), unless it was freed again.
Result<void> apply_inode_creation(const Superblock& super, const LogItem& item, const CancelTable& cancelled, Overlay& overlay,
                                  const Location& where);

/// Puts the right checksum into a replayed buffer.
Result<void> stamp_checksum(const LoggedBuffer& buffer, Overlay& overlay);

}  // namespace icecore::fs::xfs
