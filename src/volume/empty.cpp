#include "volume/empty.h"

#include <algorithm>
#include <vector>

namespace icecore::volume {
namespace {

constexpr std::uint64_t kStart = std::uint64_t{1} << 20;
constexpr std::uint64_t kPlaces = 16;
constexpr std::uint64_t kPlace = std::uint64_t{64} << 10;  // XFS's allocation groups and many tables begin near such a fraction of the volume

std::vector<image::ByteRange> places_of(std::uint64_t size) {
  std::vector<image::ByteRange> places;
  for (std::uint64_t i = 1; i <= kPlaces; ++i) {
    const std::uint64_t at = i == kPlaces ? size - std::min(size, kPlace) : size / kPlaces * i / kPlace * kPlace;
    if (at + kPlace > kStart) places.push_back({at, std::min(kPlace, size - at)});
  }
  return places;
}

Result<std::optional<std::uint64_t>> find_in(const image::BlockSource& source, const std::vector<image::ByteRange>& ranges) {
  ICECORE_CHECK(source.prefetch(ranges));
  Bytes bytes;
  for (const image::ByteRange& range : ranges) {
    bytes.resize(static_cast<std::size_t>(range.length));
    ICECORE_CHECK(source.read(range.offset, bytes));
    const auto found = std::ranges::find_if(bytes, [](std::byte byte) { return byte != std::byte{0}; });
    if (found != bytes.end()) return std::optional<std::uint64_t>(range.offset + static_cast<std::uint64_t>(found - bytes.begin()));
  }
  return std::optional<std::uint64_t>();
}

}  // namespace

Result<std::optional<std::uint64_t>> find_data(const image::BlockSource& source) {
  ICECORE_ASSIGN(const auto at_start, find_in(source, {{0, std::min(kStart, source.size())}}));
  if (at_start || source.size() <= kStart) return at_start;
  return find_in(source, places_of(source.size()));
}

}  // namespace icecore::volume
