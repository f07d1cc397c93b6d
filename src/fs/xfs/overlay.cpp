#include "fs/xfs/overlay.h"

#include <fmt/format.h>
#include <algorithm>

namespace icecore::fs::xfs {
namespace {

using SectorBytes = std::array<std::byte, kSector>;

// The part of sector `index` that lies in [offset, offset + length), as positions in the sector and in the range.
struct Part {
  std::size_t in_sector, in_range, length;
};
Part part_of(std::uint64_t index, std::uint64_t offset, std::size_t length) {
  const std::uint64_t begin = std::max(index * kSector, offset);
  const std::uint64_t end = std::min((index + 1) * kSector, offset + length);
  return {static_cast<std::size_t>(begin - index * kSector), static_cast<std::size_t>(begin - offset), static_cast<std::size_t>(end - begin)};
}

class OverlaySource final : public image::BlockSource {
 public:
  OverlaySource(image::SourcePtr base, std::vector<std::uint64_t> indexes, std::vector<SectorBytes> sectors)
      : base_(std::move(base)), indexes_(std::move(indexes)), sectors_(std::move(sectors)) {}

  std::uint64_t size() const override { return base_->size(); }
  std::string name() const override { return base_->name(); }
  std::uint64_t image_offset(std::uint64_t offset) const override { return base_->image_offset(offset); }
  const image::BlockSource* disk_at(std::uint64_t offset) const override { return base_->disk_at(offset); }
  Result<void> prefetch(std::span<const image::ByteRange> ranges) const override { return base_->prefetch(ranges); }

  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(base_->read(offset, out));
    if (out.empty()) return {};
    const std::uint64_t last = (offset + out.size() - 1) / kSector;
    auto at = std::ranges::lower_bound(indexes_, offset / kSector);
    for (; at != indexes_.end() && *at <= last; ++at) {
      const Part part = part_of(*at, offset, out.size());
      const SectorBytes& sector = sectors_[static_cast<std::size_t>(at - indexes_.begin())];
      std::ranges::copy(ByteView(sector).subspan(part.in_sector, part.length), out.subspan(part.in_range).begin());
    }
    return {};
  }

 private:
  const image::SourcePtr base_;
  const std::vector<std::uint64_t> indexes_;  // ascending; same index as sectors_
  const std::vector<SectorBytes> sectors_;
};

}  // namespace

Result<void> Overlay::read(std::uint64_t offset, std::span<std::byte> out) const {
  ICECORE_CHECK(base_->read(offset, out));
  if (out.empty()) return {};
  for (std::uint64_t index = offset / kSector; index <= (offset + out.size() - 1) / kSector; ++index) {
    const auto found = sectors_.find(index);
    if (found == sectors_.end()) continue;
    const Part part = part_of(index, offset, out.size());
    std::ranges::copy(ByteView(found->second).subspan(part.in_sector, part.length), out.subspan(part.in_range).begin());
  }
  return {};
}

Result<void> Overlay::write(std::uint64_t offset, ByteView bytes) {
  ICECORE_CHECK(image::check_range(offset, bytes.size(), base_->size() / kSector * kSector, base_->name()));
  if (bytes.empty()) return {};
  for (std::uint64_t index = offset / kSector; index <= (offset + bytes.size() - 1) / kSector; ++index) {
    auto found = sectors_.find(index);
    if (found == sectors_.end()) {
      if (sectors_.size() >= most_sectors_)
        return fail(Code::kUnsupported, fmt::format("the log changes more than {} sectors: too much to replay in memory", most_sectors_),
                    Location{base_->name(), offset});
      SectorBytes sector;
      ICECORE_CHECK(base_->read(index * kSector, sector));
      found = sectors_.emplace(index, sector).first;
    }
    const Part part = part_of(index, offset, bytes.size());
    const ByteView source = bytes.subspan(part.in_range, part.length);
    const auto target = std::span(found->second).subspan(part.in_sector, part.length);
    changed_ = changed_ || !std::ranges::equal(source, target);
    std::ranges::copy(source, target.begin());
  }
  return {};
}

image::SourcePtr Overlay::finish() {
  std::vector<std::uint64_t> indexes;
  indexes.reserve(sectors_.size());
  for (const auto& [index, sector] : sectors_) indexes.push_back(index);
  std::ranges::sort(indexes);
  std::vector<SectorBytes> sectors;
  sectors.reserve(indexes.size());
  for (const std::uint64_t index : indexes) {
    sectors.push_back(sectors_.at(index));
    sectors_.erase(index);
  }
  return std::make_shared<OverlaySource>(std::move(base_), std::move(indexes), std::move(sectors));
}

}  // namespace icecore::fs::xfs
