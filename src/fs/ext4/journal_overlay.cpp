#include "fs/ext4/journal_overlay.h"

#include <algorithm>

#include "fs/ext4/journal_format.h"

namespace icecore::fs::ext4 {

Result<void> JournalOverlay::read(std::uint64_t offset, std::span<std::byte> out) const {
  ICECORE_CHECK(image::check_range(offset, out.size(), size(), name()));
  const std::uint64_t end = offset + out.size();
  std::uint64_t done = offset;  // everything before is in `out`
  const auto fill = [&](std::uint64_t until, std::uint64_t from) -> Result<void> {
    if (until <= done) return {};
    ICECORE_CHECK(base_->read(from, out.subspan(static_cast<std::size_t>(done - offset), static_cast<std::size_t>(until - done))));
    done = until;
    return {};
  };
  for (auto patch = std::ranges::lower_bound(patches_, offset / block_size_, {}, &BlockPatch::block); patch != patches_.end(); ++patch) {
    const std::uint64_t start = patch->block * block_size_;
    if (start >= end) break;
    ICECORE_CHECK(fill(std::max(start, offset), done));
    const std::uint64_t skip = done - start;
    const std::uint64_t first = done;
    ICECORE_CHECK(fill(std::min(start + block_size_, end), patch->source_offset + skip));
    for (std::uint64_t i = skip; patch->escaped && i < 4 && first + (i - skip) < done; ++i)
      out[static_cast<std::size_t>(first - offset + i - skip)] = jbd2::kMagicBytes[i];
  }
  ICECORE_CHECK(fill(end, done));
  for (auto block = written_.lower_bound(offset / block_size_); block != written_.end() && block->first * block_size_ < end; ++block) {
    const std::uint64_t start = block->first * block_size_, from = std::max(start, offset), to = std::min(start + block_size_, end);
    const ByteView piece = ByteView(block->second).subspan(static_cast<std::size_t>(from - start), static_cast<std::size_t>(to - from));
    std::ranges::copy(piece, out.begin() + static_cast<std::ptrdiff_t>(from - offset));
  }
  return {};
}

Result<void> JournalOverlay::prefetch(std::span<const image::ByteRange> ranges) const {
  std::vector<image::ByteRange> all(ranges.begin(), ranges.end());
  for (const image::ByteRange& range : ranges) {
    const std::uint64_t end = range.length > UINT64_MAX - range.offset ? UINT64_MAX : range.offset + range.length;
    for (auto patch = std::ranges::lower_bound(patches_, range.offset / block_size_, {}, &BlockPatch::block); patch != patches_.end(); ++patch) {
      if (patch->block * block_size_ >= end) break;
      all.push_back({patch->source_offset, block_size_});
    }
  }
  return base_->prefetch(all);
}

std::uint64_t JournalOverlay::in_base(std::uint64_t offset) const {
  const auto patch = std::ranges::lower_bound(patches_, offset / block_size_, {}, &BlockPatch::block);
  if (patch == patches_.end() || patch->block != offset / block_size_) return offset;
  return patch->source_offset + offset % block_size_;
}

}  // namespace icecore::fs::ext4
