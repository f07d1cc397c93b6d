// Local disks in whatever they were packed: raw, split raw, qcow2, E01, VMDK, VHD, VHDX, or a block device. Each is a BlockSource like any other.
#pragma once

#include <string>
#include <vector>

#include "core/file.h"
#include "image/block_source.h"

namespace icecore::container {

/// A hash of the whole disk that whoever made the container stored in it.
struct StoredHash {
  std::string algorithm;  ///< "MD5", "SHA-1"
  std::string hex;
};

struct Container {
  image::SourcePtr source;
  std::string format;               ///< "raw", "split raw", "qcow2", "E01", "VMDK", "VHD", "VHDX"
  std::vector<StoredHash> hashes;   ///< of an E01
  std::vector<std::string> header;  ///< what an E01 says of itself: "case number: 17"
};

/// Recognises by signature, not by name, and opens read-only; block devices are always raw (whoever wrote to a disk could put another format's
/// signature on it). A container's other files (segments, extents, backing files) are only taken from its own folder. Sources read by libewf,
/// libvmdk and libvhdi: each under a lock. kUnsupported names what is recognised and not read (and the command that converts it); kCorrupt,
/// kNotFound, kPermission, kInvalidArgument (a folder, an empty file).
Result<Container> open_container(const Path& path);

}  // namespace icecore::container
