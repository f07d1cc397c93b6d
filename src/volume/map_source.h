// A source made of runs of others: logical volumes, arrays, thin devices.
#pragma once

#include <string>
#include <vector>

#include "image/block_source.h"

namespace icecore::volume {

/// A run of bytes of a MapSource. No parts: reads as zeros. One part: straight. Several: chunk by chunk in turn.
struct MapRun {
  struct Part {
    image::SourcePtr source;   ///< null: missing; `missing` says what
    std::uint64_t offset = 0;  ///< of the run's first byte in it
    std::string missing;       ///< "physical volume Xa3f-…"
  };
  std::uint64_t offset = 0;  ///< in the MapSource
  std::uint64_t length = 0;
  std::vector<Part> parts;
  std::uint64_t chunk = 0;   ///< bytes; with several parts only
  std::uint64_t rotate = 0;  ///< the run's first chunk lies on part rotate % parts
};

class MapSource final : public image::BlockSource {
 public:
  /// `runs` ascending, without gaps from 0; the size is their sum. Precondition: that, and chunk > 0 where there are several parts.
  MapSource(std::vector<MapRun> runs, std::string name);

  std::uint64_t size() const override { return size_; }
  /// kCorrupt naming what is missing where the bytes lay on it, or where a part ends too early.
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override;
  Result<void> prefetch(std::span<const image::ByteRange> ranges) const override;
  std::string name() const override { return name_; }
  /// 0 for what lies nowhere.
  std::uint64_t image_offset(std::uint64_t offset) const override;
  const image::BlockSource* disk_at(std::uint64_t offset) const override;

 private:
  struct Place {
    const MapRun::Part* part = nullptr;  // null: zeros
    std::uint64_t offset = 0;            // in the part's source
    std::uint64_t length = 0;            // that lies together from here
  };
  Place place(std::uint64_t offset) const;

  const std::vector<MapRun> runs_;
  const std::string name_;
  std::uint64_t size_ = 0;
};

}  // namespace icecore::volume
