// Thin devices of device-mapper: which chunk of the pool's data holds which chunk of the device. Sources: Linux drivers/md/dm-thin-metadata.c,
// drivers/md/persistent-data/dm-btree-internal.h.
#pragma once

#include <string>
#include <vector>

#include "volume/map_source.h"

namespace icecore::volume {

struct ThinPool {
  image::SourcePtr metadata;  ///< …_tmeta
  image::SourcePtr data;      ///< …_tdata
};

/// The thin device `id` of a pool, `size` bytes. What was never written is zeros, or `origin` where that is given (an external origin). kCorrupt for
/// damaged metadata (checksums, loops), kNotFound where there is no such device, kUnsupported over 4 million runs.
Result<image::SourcePtr> open_thin(const ThinPool& pool, std::uint64_t id, std::uint64_t size, const image::SourcePtr& origin,
                                   const std::string& name);

}  // namespace icecore::volume
