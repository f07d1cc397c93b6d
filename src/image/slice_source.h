// A part of another source: a partition.
#pragma once

#include "image/block_source.h"

namespace icecore::image {

class SliceSource : public BlockSource {
 public:
  /// kCorrupt where the slice is not inside the parent; `name` is what messages call it (`snap-… partition 1`).
  static Result<SourcePtr> make(SourcePtr parent, ByteRange range, std::string name);

  std::uint64_t size() const override { return range_.length; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override;
  Result<void> prefetch(std::span<const ByteRange> ranges) const override;
  std::string name() const override { return name_; }
  std::uint64_t image_offset(std::uint64_t offset) const override { return parent_->image_offset(range_.offset + offset); }
  const BlockSource* disk_at(std::uint64_t offset) const override { return parent_->disk_at(range_.offset + offset); }

 private:
  SliceSource(SourcePtr parent, ByteRange range, std::string name) : parent_(std::move(parent)), range_(range), name_(std::move(name)) {}
  const SourcePtr parent_;
  const ByteRange range_;
  const std::string name_;
};

}  // namespace icecore::image
