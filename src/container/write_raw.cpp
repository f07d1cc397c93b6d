#include "container/disk_stream.h"

namespace icecore::container {

Result<WrittenDisk> write_raw(const image::BlockSource& disk, const Path& file, const WriteOptions& options) {
  ICECORE_ASSIGN(PartialFile out, PartialFile::make(file));
  ICECORE_CHECK(out.set_size(disk.size()));
  Sha256 hash;
  ICECORE_CHECK(stream_disk(disk, options, nullptr, [&](const DiskCluster& cluster) -> Result<void> {
    hash.update(cluster.bytes);
    return cluster.zeros ? Result<void>() : out.write(cluster.index * kExportCluster, cluster.bytes);
  }));
  ICECORE_CHECK(out.commit());
  return WrittenDisk{{file}, to_hex(hash.finish()), "", ""};
}

}  // namespace icecore::container
