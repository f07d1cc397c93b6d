// Where a fact was read, precisely enough to read it again: every event and every location of a finding has one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/timestamp.h"

namespace icecore {

/// A 512 KiB block of a snapshot and its SHA-256 (lower-case hex), as recorded in blocks.db.
struct BlockReference {
  std::uint64_t index = 0;
  std::string sha256;
};

struct Provenance {
  enum class Kind { kFile, kCloudTrail, kInstance };
  Kind kind = Kind::kFile;

  // kFile: a file on a volume.
  std::string snapshot;                    ///< snap-…, or the image's path
  std::string volume;                      ///< vol-…, empty where unknown
  std::optional<std::uint32_t> partition;  ///< 1-based; absent on a whole-disk filesystem
  std::string filesystem;                  ///< "ext4"
  std::optional<std::uint64_t> inode;
  std::string path;                           ///< as the instance saw it, raw bytes
  std::optional<std::uint64_t> offset;        ///< byte in the file
  std::optional<std::uint64_t> line;          ///< 1-based
  std::optional<std::uint64_t> image_offset;  ///< byte in the volume's image
  std::vector<BlockReference> blocks;         ///< filled by the engine, from blocks.db

  // kCloudTrail: one event of the control plane.
  std::string event_id, event_name, source_ip, access_key;

  // kInstance: a piece of the instance's metadata.
  std::string instance;   ///< i-…
  std::string attribute;  ///< "user-data", "console-output", …

  // Any kind.
  std::string case_file;  ///< file of the case that holds it (kCloudTrail, kInstance)
  std::optional<Timestamp> time;
  std::string excerpt;  ///< a short piece of the evidence itself, raw bytes
  std::string sha256;   ///< of the whole content, where it was read whole
};

}  // namespace icecore
