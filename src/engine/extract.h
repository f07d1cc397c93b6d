// `icecore extract`: files out of the image onto this machine, as plain files and folders only.
#pragma once

#include <functional>
#include <string>

#include "engine/target.h"

namespace icecore::engine {

struct Extracted {
  std::string path;    ///< as the instance saw it
  Path file;           ///< where it is now; empty for what was left out
  std::string sha256;  ///< of a file's content
  std::uint64_t size = 0;
  std::string left_out;  ///< why nothing was written: a device, a link and where it leads
};

/// Copies `path` of the machine, a file or a whole folder, below `destination` (made where it is missing; mode 0700, files 0600, no set-id bits, no
/// owners). Links, devices, sockets and fifos are reported and never made. Existing files are not overwritten (kConflict). Damaged files become
/// anomalies and the rest goes on.
Result<void> extract(const Target& target, const std::string& path, const Path& destination, const std::function<void(const Extracted&)>& report);

}  // namespace icecore::engine
