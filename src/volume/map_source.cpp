#include "volume/map_source.h"

#include <fmt/format.h>
#include <algorithm>
#include <cassert>
#include <map>

namespace icecore::volume {

MapSource::MapSource(std::vector<MapRun> runs, std::string name) : runs_(std::move(runs)), name_(std::move(name)) {
  for (const MapRun& run : runs_) {
    assert(run.offset == size_ && (run.parts.size() < 2 || run.chunk > 0));
    size_ += run.length;
  }
}

MapSource::Place MapSource::place(std::uint64_t offset) const {
  const auto after = std::ranges::upper_bound(runs_, offset, {}, &MapRun::offset);
  const MapRun& run = *std::prev(after);
  const std::uint64_t within = offset - run.offset, left = run.length - within;
  if (run.parts.empty()) return {nullptr, 0, left};
  if (run.parts.size() == 1) return {&run.parts.front(), run.parts.front().offset + within, left};
  const std::uint64_t chunk = within / run.chunk, in_chunk = within % run.chunk, count = run.parts.size();
  const MapRun::Part& part = run.parts[static_cast<std::size_t>((chunk + run.rotate) % count)];
  return {&part, part.offset + chunk / count * run.chunk + in_chunk, std::min(left, run.chunk - in_chunk)};
}

Result<void> MapSource::read(std::uint64_t offset, std::span<std::byte> out) const {
  ICECORE_CHECK(image::check_range(offset, out.size(), size_, name_));
  while (!out.empty()) {
    const Place at = place(offset);
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(at.length, out.size()));
    if (at.part == nullptr) {
      std::ranges::fill(out.first(count), std::byte{0});
    } else if (!at.part->source) {
      return fail(Code::kCorrupt, fmt::format("these bytes lie on {}, which is missing", at.part->missing), Location{name_, offset});
    } else {
      ICECORE_CHECK(at.part->source->read(at.offset, out.first(count)));
    }
    out = out.subspan(count);
    offset += count;
  }
  return {};
}

Result<void> MapSource::prefetch(std::span<const image::ByteRange> ranges) const {
  std::map<const image::BlockSource*, std::vector<image::ByteRange>> wanted;
  for (const image::ByteRange& range : ranges) {
    if (range.offset >= size_) continue;
    std::uint64_t offset = range.offset;
    const std::uint64_t end = offset + std::min(range.length, size_ - offset);
    while (offset < end) {
      const Place at = place(offset);
      const std::uint64_t count = std::min(at.length, end - offset);
      if (at.part != nullptr && at.part->source) {
        auto& list = wanted[at.part->source.get()];
        if (!list.empty() && list.back().offset + list.back().length == at.offset) {
          list.back().length += count;
        } else {
          list.push_back({at.offset, count});
        }
      }
      offset += count;
    }
  }
  for (const auto& [source, list] : wanted) ICECORE_CHECK(source->prefetch(list));
  return {};
}

std::uint64_t MapSource::image_offset(std::uint64_t offset) const {
  if (offset >= size_) return 0;
  const Place at = place(offset);
  return at.part == nullptr || !at.part->source ? 0 : at.part->source->image_offset(at.offset);
}

const image::BlockSource* MapSource::disk_at(std::uint64_t offset) const {
  if (offset >= size_) return nullptr;
  const Place at = place(offset);
  return at.part == nullptr || !at.part->source ? nullptr : at.part->source->disk_at(at.offset);
}

}  // namespace icecore::volume
