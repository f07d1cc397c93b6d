#include "fs/block_set.h"

#include <algorithm>

namespace icecore::fs {

void BlockSet::add(std::uint64_t start, std::uint64_t end) {
  if (start >= end) return;
  auto at = spans_.upper_bound(start);
  if (at != spans_.begin() && std::prev(at)->second >= start) --at;
  while (at != spans_.end() && at->first <= end) {
    start = std::min(start, at->first);
    end = std::max(end, at->second);
    at = spans_.erase(at);
  }
  spans_.emplace(start, end);
}

void BlockSet::append_within(std::uint64_t start, std::uint64_t end, std::vector<BlockSpan>& out) const {
  auto at = spans_.upper_bound(start);
  if (at != spans_.begin()) --at;
  for (; at != spans_.end() && at->first < end; ++at)
    if (at->second > start) out.push_back({std::max(start, at->first), std::min(end, at->second)});
}

bool BlockSet::overlaps(std::uint64_t start, std::uint64_t end) const {
  const auto after = spans_.lower_bound(end);
  return after != spans_.begin() && std::prev(after)->second > start;
}

std::size_t append_pieces(const Extent& extent, std::vector<BlockSpan> used, std::vector<DeletedExtent>& out) {
  std::ranges::sort(used, {}, &BlockSpan::start);
  const std::uint64_t end = extent.source_offset + extent.length;
  const std::size_t before = out.size();
  std::uint64_t at = extent.source_offset;
  const auto add_until = [&](std::uint64_t stop, bool free) {
    stop = std::min(stop, end);
    if (stop <= at) return;
    if (out.size() > before && out.back().free == free)
      out.back().length += stop - at;
    else
      out.push_back({{extent.file_offset + (at - extent.source_offset), at, stop - at, extent.unwritten}, free});
    at = stop;
  };
  for (const BlockSpan& span : used) {
    add_until(span.start, true);
    add_until(span.end, false);
  }
  add_until(end, true);
  return out.size() - before;
}

}  // namespace icecore::fs
