#include "engine/block_evidence.h"

#include <algorithm>
#include <map>

#include "core/hash.h"

namespace icecore::engine {
namespace {

// Blocks of local images by disk and index: many findings stand in the same blocks.
using HashCache = std::map<std::pair<std::string, std::uint64_t>, std::string>;

Result<std::vector<BlockReference>> local_blocks(const Disk& disk, std::uint64_t offset, HashCache& cache) {
  const std::uint64_t index = offset / image::kBlockSize;
  std::string& digest = cache[{disk.snapshot, index}];
  if (digest.empty()) {
    const std::uint64_t start = index * image::kBlockSize;
    if (start >= disk.size()) return std::vector<BlockReference>{};
    // The last block of an image that is no multiple of 512 KiB is shorter; on a snapshot it would be filled with zeros, and so it is hashed.
    Bytes block(image::kBlockSize);
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(image::kBlockSize, disk.size() - start));
    ICECORE_CHECK(disk.source->read(start, std::span(block).first(length)));
    digest = to_hex(sha256(block));
  }
  return std::vector<BlockReference>{{index, digest}};
}

}  // namespace

Result<void> name_blocks(const Target& target, std::vector<detect::Finding>& findings) {
  HashCache cache;
  for (detect::Finding& finding : findings) {
    for (Provenance& where : finding.locations) {
      const Disk* disk = target.disk(where.snapshot);
      if (where.kind != Provenance::Kind::kFile || disk == nullptr || !where.image_offset) continue;
      if (disk->on_demand) {
        ICECORE_ASSIGN(where.blocks, disk->on_demand->block_references({*where.image_offset, 1}));
      } else {
        ICECORE_ASSIGN(where.blocks, local_blocks(*disk, *where.image_offset, cache));
      }
    }
  }
  return {};
}

}  // namespace icecore::engine
