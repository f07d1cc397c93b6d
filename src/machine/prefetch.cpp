// One round of reading ahead for many files: on a snapshot that is fetched as it is read, a round trip a file would be the main cost.
#include <algorithm>
#include <map>

#include "machine/machine.h"

namespace icecore::machine {

Result<void> Machine::prefetch(std::span<const FileRef> files, std::uint64_t limit) const {
  using Ranges = std::vector<image::ByteRange>;
  std::map<std::size_t, Ranges> by_mount;
  for (const FileRef& file : files) {
    if (file.info.type != fs::FileType::kRegular || file.info.size == 0) continue;
    auto extents = filesystem_of(file).extents(file.info.inode);
    if (!extents) {
      if (!forgive(file.path, extents.error())) return Failure(std::move(extents).error());
      continue;
    }
    Ranges& ranges = by_mount[file.mount];
    for (const fs::Extent& extent : *extents) {
      if (extent.unwritten || extent.file_offset >= limit) continue;
      ranges.push_back({extent.source_offset, std::min(extent.length, limit - extent.file_offset)});
    }
  }
  for (const auto& [mount, ranges] : by_mount) ICECORE_CHECK(partitions_[mounts_[mount].partition].filesystem->source().prefetch(ranges));
  return {};
}

}  // namespace icecore::machine
