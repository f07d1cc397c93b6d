// What the engine hands over: filesystems that it found on the instance's volumes, each with what was known about where it lay.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fs/filesystem.h"

namespace icecore::machine {

/// A disk that a filesystem lies on.
struct DiskOrigin {
  const image::BlockSource* disk = nullptr;  ///< as BlockSource::disk_at() gives it
  std::string snapshot, volume;
};

/// One opened filesystem. Where its bytes lie in the volume's image is known to `filesystem->source().image_offset()`.
struct Partition {
  std::string snapshot;                 ///< snap-…, or the image's path
  std::string volume;                   ///< vol-…, empty where unknown
  std::string device;                   ///< of the whole disk, from the block device mapping: "/dev/xvda"; empty where unknown
  std::optional<std::uint32_t> number;  ///< 1-based; absent on a whole-disk filesystem
  std::string uuid;                     ///< of the partition (GPT), lower case; what PARTUUID= names
  std::string label;                    ///< of the partition (GPT); what PARTLABEL= names
  fs::FilesystemPtr filesystem;         ///< never null
  std::vector<std::string> names = {};  ///< of a logical volume, array or opened encrypted volume: "/dev/mapper/vg-lv", "/dev/vg/lv", "/dev/md0"
  std::vector<DiskOrigin> disks = {};   ///< all disks of such a one; its `snapshot` and `volume` are those of the first
};

}  // namespace icecore::machine
