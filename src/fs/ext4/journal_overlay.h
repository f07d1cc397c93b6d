// A disk with newer versions of some of its blocks, which lie elsewhere on the same disk: what a journal would write back.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "image/block_source.h"

namespace icecore::fs::ext4 {

/// Block `block` of the filesystem reads as the bytes at `source_offset` (of one block's length).
struct BlockPatch {
  std::uint64_t block = 0;
  std::uint64_t source_offset = 0;
  bool escaped = false;  ///< its first four bytes are the journal's magic number, zeroed in the log
};

/// Holds no contents of blocks that the log has: only where they are. image_offset() says where the newer bytes lie.
class JournalOverlay final : public image::BlockSource {
 public:
  /// `patches` ascending by block, each block once.
  /// `written`: contents of blocks that lie nowhere on the disk, what fast commits made of them; they are newer than patches.
  JournalOverlay(image::SourcePtr base, std::uint32_t block_size, std::vector<BlockPatch> patches, std::map<std::uint64_t, Bytes> written = {})
      : base_(std::move(base)), block_size_(block_size), patches_(std::move(patches)), written_(std::move(written)) {}

  std::uint64_t size() const override { return base_->size(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override;
  Result<void> prefetch(std::span<const image::ByteRange> ranges) const override;
  std::string name() const override { return base_->name(); }
  std::uint64_t image_offset(std::uint64_t offset) const override { return base_->image_offset(in_base(offset)); }
  const image::BlockSource* disk_at(std::uint64_t offset) const override { return base_->disk_at(in_base(offset)); }

  const std::vector<BlockPatch>& patches() const { return patches_; }
  /// The disk without recovery.
  const image::SourcePtr& base() const { return base_; }

 private:
  /// Where in the base the newest version of a byte lies.
  std::uint64_t in_base(std::uint64_t offset) const;

  const image::SourcePtr base_;
  const std::uint32_t block_size_;
  const std::vector<BlockPatch> patches_;
  const std::map<std::uint64_t, Bytes> written_;
};

}  // namespace icecore::fs::ext4
