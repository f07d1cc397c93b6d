#include "volume/md.h"

#include <fmt/format.h>
#include <algorithm>
#include <map>

#include "core/text.h"
#include "volume/map_source.h"

namespace icecore::volume {
namespace {

using Parts = std::vector<std::optional<MapRun::Part>>;  // by role; absent: missing

// Chunks on near and far copies (drivers/md/raid10.c, __raid10_find_phys, without the improved far sets that no tool makes).
class Raid10Source final : public image::BlockSource {
 public:
  struct Layout {
    std::uint64_t disks, near, far, chunk, stride;  // stride: bytes from one far copy to the next on a disk
    bool offset;
  };

  Raid10Source(Parts parts, Layout layout, std::uint64_t size, std::string name)
      : parts_(std::move(parts)), layout_(layout), size_(size), name_(std::move(name)) {}

  std::uint64_t size() const override { return size_; }
  std::string name() const override { return name_; }

  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(image::check_range(offset, out.size(), size_, name_));
    while (!out.empty()) {
      const Place at = place(offset);
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(at.length, out.size()));
      if (at.part == nullptr) return fail(Code::kCorrupt, "all copies of these bytes lie on disks that are missing", Location{name_, offset});
      ICECORE_CHECK(at.part->source->read(at.offset, out.first(count)));
      out = out.subspan(count);
      offset += count;
    }
    return {};
  }

  Result<void> prefetch(std::span<const image::ByteRange> ranges) const override {
    std::map<const image::BlockSource*, std::vector<image::ByteRange>> wanted;
    for (const image::ByteRange& range : ranges) {
      if (range.offset >= size_) continue;
      const std::uint64_t end = range.offset + std::min(range.length, size_ - range.offset);
      for (std::uint64_t offset = range.offset; offset < end;) {
        const Place at = place(offset);
        const std::uint64_t count = std::min(at.length, end - offset);
        if (at.part != nullptr) wanted[at.part->source.get()].push_back({at.offset, count});
        offset += count;
      }
    }
    for (const auto& [source, list] : wanted) ICECORE_CHECK(source->prefetch(list));
    return {};
  }

  std::uint64_t image_offset(std::uint64_t offset) const override {
    if (offset >= size_) return 0;
    const Place at = place(offset);
    return at.part == nullptr ? 0 : at.part->source->image_offset(at.offset);
  }

  const image::BlockSource* disk_at(std::uint64_t offset) const override {
    const Place at = place(std::min(offset, size_ - 1));
    return at.part == nullptr ? nullptr : at.part->source->disk_at(at.offset);
  }

 private:
  struct Place {
    const MapRun::Part* part;
    std::uint64_t offset, length;
  };

  // The first copy that is there.
  Place place(std::uint64_t offset) const {
    const std::uint64_t in_chunk = offset % layout_.chunk, first = offset / layout_.chunk * layout_.near;
    std::uint64_t disk = first % layout_.disks, row = first / layout_.disks;
    if (layout_.offset) row *= layout_.far;
    for (std::uint64_t near = 0; near < layout_.near; ++near) {
      std::uint64_t at = row * layout_.chunk + in_chunk, on = disk;
      for (std::uint64_t far = 0; far < layout_.far; ++far) {
        const auto& part = parts_[static_cast<std::size_t>(on)];
        if (part) return {&*part, part->offset + at, layout_.chunk - in_chunk};
        on = (on + layout_.near) % layout_.disks;
        at += layout_.offset ? layout_.chunk : layout_.stride;
      }
      if (++disk == layout_.disks) {
        disk = 0;
        ++row;
      }
    }
    return {nullptr, 0, layout_.chunk - in_chunk};
  }

  const Parts parts_;
  const Layout layout_;
  const std::uint64_t size_;
  const std::string name_;
};

class Assembly {
 public:
  Assembly(const std::vector<MdMember>& all, std::vector<std::size_t> indices, Anomalies& anomalies)
      : all_(all), indices_(std::move(indices)), anomalies_(anomalies) {}

  std::optional<MdArray> run() {
    choose();
    const MdSuperblock& block = array_.superblock;
    name_ = fmt::format("md array {}", block.name.empty() ? block.uuid : printable(block.name));
    if (block.reshaping) return refuse("md.unsupported", Code::kUnsupported, "is being reshaped, and this version reads only arrays that are not");
    std::string missing;
    std::size_t here = 0;
    for (std::size_t role = 0; role < block.disks; ++role) {
      if (parts_[role]) {
        ++here;
      } else {
        missing += fmt::format("{}{}", missing.empty() ? "" : ", ", role);
      }
    }
    const bool needs_all = block.level == 0 || block.level == -1;
    if (here == 0 || (needs_all && here < block.disks))
      return refuse("md.missing", Code::kNotFound,
                    fmt::format("lacks disk {} of 0…{}, without which it cannot be read: add its snapshot or image", missing, block.disks - 1));
    array_.source = build();
    if (!array_.source) return std::nullopt;
    if (here < block.disks || !stale_.empty())
      report("md.degraded", Code::kNotFound,
             fmt::format("is degraded: disk {} of 0…{} is missing or out of date{}; it was read from the others", missing, block.disks - 1,
                         stale_.empty() ? "" : fmt::format(" ({})", stale_)));
    return std::move(array_);
  }

 private:
  std::optional<MdArray> refuse(std::string kind, Code code, const std::string& why) {
    report(std::move(kind), code, why);
    return std::nullopt;
  }

  void report(std::string kind, Code code, const std::string& why) {
    anomalies_.add(std::move(kind), Error{code, fmt::format("{} (level {}, uuid {}) {}", name_, level_text(), array_.superblock.uuid, why),
                                          Location{all_[indices_.front()].source->name()}, nullptr});
  }

  std::string level_text() const { return array_.superblock.level == -1 ? "linear" : fmt::format("{}", array_.superblock.level); }

  // The members that are up to date, each in its place.
  void choose() {
    std::uint64_t newest = 0;
    for (const std::size_t i : indices_) newest = std::max(newest, all_[i].superblock.events);
    for (const std::size_t i : indices_)
      if (all_[i].superblock.events == newest) array_.superblock = all_[i].superblock;
    parts_.resize(array_.superblock.disks);
    for (const std::size_t i : indices_) {
      const MdSuperblock& block = all_[i].superblock;
      if (!block.role || *block.role >= parts_.size()) continue;
      // The kernel lets a member lie one event behind: a clean array was about to be written to.
      if (block.events + 1 < newest || block.recovering) {
        stale_ += fmt::format("{}disk {}, {}: {}", stale_.empty() ? "" : "; ", *block.role, printable(all_[i].source->name()),
                              block.recovering ? "being rebuilt" : "its events end earlier");
        continue;
      }
      auto& part = parts_[*block.role];
      if (part) {
        stale_ += fmt::format("{}disk {} is there twice", stale_.empty() ? "" : "; ", *block.role);
        continue;
      }
      part = MapRun::Part{all_[i].source, block.data_offset, ""};
      sizes_[*block.role] = block.data_size;
      array_.members.push_back(i);
    }
  }

  image::SourcePtr build() {
    const MdSuperblock& block = array_.superblock;
    switch (block.level) {
      case -1: return linear();
      case 0: return raid0();
      case 1: return raid1();
      case 10: return raid10();
      default:
        report("md.unsupported", Code::kUnsupported, "is of a level that this version does not read (0, 1, 10 and linear are)");
        return nullptr;
    }
  }

  std::uint64_t rounded(std::uint64_t size) const {
    return array_.superblock.chunk == 0 ? size : size / array_.superblock.chunk * array_.superblock.chunk;
  }

  image::SourcePtr linear() {
    std::vector<MapRun> runs;
    std::uint64_t at = 0;
    for (std::uint32_t role = 0; role < parts_.size(); ++role) {
      const std::uint64_t length = rounded(sizes_[role]);
      runs.push_back({at, length, {*parts_[role]}, 0, 0});
      at += length;
    }
    return std::make_shared<MapSource>(std::move(runs), name_);
  }

  // Zones: up to the end of the smallest disk over all, then up to the next over those that are left, and so on.
  image::SourcePtr raid0() {
    const std::uint64_t chunk = array_.superblock.chunk;
    if (chunk == 0) return report("md.unsupported", Code::kCorrupt, "has chunks of 0 bytes"), nullptr;
    constexpr std::uint32_t kOriginal = 1;  // layout of zones after the first in kernels before 3.14
    std::vector<MapRun> runs;
    std::uint64_t at = 0, from = 0;
    for (;;) {
      std::uint64_t to = UINT64_MAX;
      for (const auto& [role, size] : sizes_)
        if (rounded(size) > from) to = std::min(to, rounded(size));
      if (to == UINT64_MAX) break;
      MapRun run{at, 0, {}, chunk, 0};
      for (const auto& [role, size] : sizes_)
        if (rounded(size) > from) run.parts.push_back({parts_[role]->source, parts_[role]->offset + from, ""});
      run.length = (to - from) * run.parts.size();
      if (array_.superblock.layout == kOriginal) run.rotate = at / chunk;
      at += run.length;
      from = to;
      runs.push_back(std::move(run));
    }
    if (runs.size() > 1 && array_.superblock.layout == 0)
      report("md.layout", Code::kUnsupported,
             "has disks of different sizes and does not say in which of two ways; the one of kernels since 3.14 was taken");
    return std::make_shared<MapSource>(std::move(runs), name_);
  }

  image::SourcePtr raid1() {
    const auto first = std::ranges::find_if(parts_, [](const auto& part) { return part.has_value(); });
    const std::uint64_t size = std::min(array_.superblock.used, sizes_[static_cast<std::uint32_t>(first - parts_.begin())]);
    return std::make_shared<MapSource>(std::vector<MapRun>{{0, size, {**first}, 0, 0}}, name_);
  }

  image::SourcePtr raid10() {
    const MdSuperblock& block = array_.superblock;
    const std::uint64_t near = block.layout & 0xFF, far = (block.layout >> 8) & 0xFF;
    if (block.chunk == 0 || near == 0 || far == 0 || near * far > block.disks || (block.layout >> 17) != 0)
      return report("md.unsupported", Code::kUnsupported, fmt::format("has a layout (0x{:x}) that this version does not read", block.layout)),
             nullptr;
    // Of each disk; drivers/md/raid10.c, calc_sectors.
    const std::uint64_t chunks = block.used / block.chunk / far * block.disks / near;
    const bool offset = (block.layout & 0x10000) != 0;
    const std::uint64_t per_disk = (chunks * near * far + block.disks - 1) / block.disks;
    const std::uint64_t stride = (offset ? 1 : per_disk / far) * block.chunk;
    std::uint64_t holds = UINT64_MAX;
    for (const auto& [role, size] : sizes_) holds = std::min(holds, size);
    if (holds < block.used) return report("md.unsupported", Code::kCorrupt, "has members smaller than it says"), nullptr;
    return std::make_shared<Raid10Source>(parts_, Raid10Source::Layout{block.disks, near, far, block.chunk, stride, offset}, chunks * block.chunk,
                                          name_);
  }

  const std::vector<MdMember>& all_;
  const std::vector<std::size_t> indices_;
  Anomalies& anomalies_;
  MdArray array_;
  std::string name_, stale_;
  Parts parts_;
  std::map<std::uint32_t, std::uint64_t> sizes_;  // by role
};

}  // namespace

std::vector<std::string> MdArray::device_names() const {
  std::vector<std::string> names;
  if (superblock.minor) names.push_back(fmt::format("/dev/md{}", *superblock.minor));
  const std::string short_name = superblock.name.substr(superblock.name.find(':') + 1);
  if (!short_name.empty()) {
    if (std::ranges::all_of(short_name, [](char c) { return c >= '0' && c <= '9'; })) names.push_back("/dev/md" + short_name);
    names.push_back("/dev/md/" + short_name);
    names.push_back("/dev/disk/by-id/md-name-" + superblock.name);
  }
  names.push_back("/dev/disk/by-id/md-uuid-" + superblock.uuid);
  return names;
}

std::vector<MdArray> assemble_arrays(const std::vector<MdMember>& members, Anomalies& anomalies) {
  std::map<std::string, std::vector<std::size_t>> by_array;
  for (std::size_t i = 0; i < members.size(); ++i) by_array[members[i].superblock.uuid].push_back(i);
  std::vector<MdArray> arrays;
  for (auto& [uuid, indices] : by_array)
    if (auto array = Assembly(members, std::move(indices), anomalies).run()) arrays.push_back(std::move(*array));
  return arrays;
}

}  // namespace icecore::volume
