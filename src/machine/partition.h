// What the engine hands over: filesystems that it found on the instance's volumes, each with what was known about where it lay.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fs/filesystem.h"

namespace icecore::machine {

/// One opened filesystem. Where its bytes lie in the volume's image is known to `filesystem->source().image_offset()`.
struct Partition {
  std::string snapshot;                 ///< snap-…, or the image's path
  std::string volume;                   ///< vol-…, empty where unknown
  std::string device;                   ///< of the whole disk, from the block device mapping: "/dev/xvda"; empty where unknown
  std::optional<std::uint32_t> number;  ///< 1-based; absent on a whole-disk filesystem
  std::string uuid;                     ///< of the partition (GPT), lower case; what PARTUUID= names
  std::string label;                    ///< of the partition (GPT); what PARTLABEL= names
  fs::FilesystemPtr filesystem;         ///< never null
};

}  // namespace icecore::machine
