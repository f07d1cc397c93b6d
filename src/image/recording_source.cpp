#include "image/recording_source.h"

#include <algorithm>

namespace icecore::image {

void RecordingSource::touch(const ByteRange& range) const {
  if (range.length == 0 || range.offset >= size()) return;
  const std::uint64_t length = std::min(range.length, size() - range.offset);
  const std::uint64_t first = image_offset(range.offset) / kBlockSize;
  const std::uint64_t last = image_offset(range.offset + length - 1) / kBlockSize;
  for (std::uint64_t block = first; block <= last; ++block) blocks_.insert(block);
}

Result<void> RecordingSource::read(std::uint64_t offset, std::span<std::byte> out) const {
  {
    const std::scoped_lock lock(mutex_);
    reads_.push_back({offset, out.size()});
    touch(reads_.back());
  }
  return inner_->read(offset, out);
}

Result<void> RecordingSource::prefetch(std::span<const ByteRange> ranges) const {
  {
    const std::scoped_lock lock(mutex_);
    ++rounds_;
    for (const ByteRange& range : ranges) touch(range);
  }
  return inner_->prefetch(ranges);
}

std::set<std::uint64_t> RecordingSource::touched_blocks() const {
  const std::scoped_lock lock(mutex_);
  return blocks_;
}

std::vector<ByteRange> RecordingSource::reads() const {
  const std::scoped_lock lock(mutex_);
  return reads_;
}

void RecordingSource::clear() {
  const std::scoped_lock lock(mutex_);
  blocks_.clear();
  reads_.clear();
  rounds_ = 0;
}

}  // namespace icecore::image
