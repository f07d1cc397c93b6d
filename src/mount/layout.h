// What a mount shows: the machine's files, and each disk as an image, its partitions and their filesystems.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "image/block_source.h"
#include "image/layer.h"
#include "machine/machine.h"

namespace icecore::mount {

/// A file of raw bytes: "image.raw", "partition-1.raw".
struct RawFile {
  std::string name;
  image::SourcePtr source;
  std::shared_ptr<image::Layer> layer = nullptr;  ///< where it may be written to; `source` is the same object then
};

/// A filesystem without regard to where the machine mounted it: "partition-1", "filesystem".
struct FilesystemFolder {
  std::string name;
  std::size_t partition = 0;  ///< index in Machine::partitions()
};

/// `volumes/<name>` of the mount.
struct DiskFolder {
  std::string name;
  std::vector<RawFile> files;
  std::vector<FilesystemFolder> filesystems;
};

/// Names are unique within their folder, and such as a file can have.
struct Layout {
  machine::MachinePtr machine;  ///< null where no filesystem could be opened: there is no `root` then
  std::vector<DiskFolder> disks;
};

}  // namespace icecore::mount
