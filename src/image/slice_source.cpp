#include "image/slice_source.h"

#include <algorithm>
#include <vector>

namespace icecore::image {

Result<SourcePtr> SliceSource::make(SourcePtr parent, ByteRange range, std::string name) {
  ICECORE_CHECK(check_range(range.offset, range.length, parent->size(), name));
  return SourcePtr(new SliceSource(std::move(parent), range, std::move(name)));
}

Result<void> SliceSource::read(std::uint64_t offset, std::span<std::byte> out) const {
  ICECORE_CHECK(check_range(offset, out.size(), range_.length, name_));
  return parent_->read(range_.offset + offset, out);
}

Result<void> SliceSource::prefetch(std::span<const ByteRange> ranges) const {
  std::vector<ByteRange> moved;
  moved.reserve(ranges.size());
  for (const ByteRange& range : ranges) {
    if (range.offset >= range_.length) continue;
    moved.push_back({range_.offset + range.offset, std::min(range.length, range_.length - range.offset)});
  }
  return parent_->prefetch(moved);
}

}  // namespace icecore::image
