// A decorator that remembers what was read, so that tests and benchmarks can count the blocks that a command would fetch.
#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <vector>

#include "image/block_source.h"
#include "image/block_store.h"

namespace icecore::image {

class RecordingSource : public BlockSource {
 public:
  explicit RecordingSource(SourcePtr inner) : inner_(std::move(inner)) {}

  std::uint64_t size() const override { return inner_->size(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override;
  Result<void> prefetch(std::span<const ByteRange> ranges) const override;
  std::string name() const override { return inner_->name(); }
  std::uint64_t image_offset(std::uint64_t offset) const override { return inner_->image_offset(offset); }
  const BlockSource* disk_at(std::uint64_t offset) const override { return inner_->disk_at(offset); }

  /// Indexes of the 512 KiB blocks of the volume that were read or prefetched.
  std::set<std::uint64_t> touched_blocks() const;
  /// Every read in order of arrival (offsets of this source). Prefetches are not in it.
  std::vector<ByteRange> reads() const;
  std::uint64_t prefetch_rounds() const { return rounds_; }
  void clear();

 private:
  void touch(const ByteRange& range) const;
  const SourcePtr inner_;
  mutable std::mutex mutex_;
  mutable std::set<std::uint64_t> blocks_;
  mutable std::vector<ByteRange> reads_;
  mutable std::atomic<std::uint64_t> rounds_{0};
};

}  // namespace icecore::image
