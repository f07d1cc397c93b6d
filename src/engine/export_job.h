// `icecore export`: a disk of a target as a file for other tools, with manifests; and the hashes of a machine's files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "container/disk_writer.h"
#include "engine/target.h"

namespace icecore::engine {

struct ExportOptions {
  std::string format = "raw";  ///< "raw", "qcow2", "e01"
  Path file;
  std::optional<std::string> disk;  ///< snapshot or volume id; absent: the target's only disk
  bool fetch = false;               ///< fetch first what is missing
  Path backing;                     ///< qcow2: the image of a baseline, in the same folder
  container::CaseHeader header;     ///< E01: what is empty is filled from the case
};

struct Exported {
  container::WrittenDisk disk;
  Path manifest;  ///< FILE.sha256, for sha256sum -c
};

/// Writes the disk and `FILE.sha256` beside it. kConflict where files exist, or where the image is not whole and `fetch` is not set; kIntegrity where
/// the bytes are not those of the whole-image hash that acquisition recorded. Leaves nothing under the final name where it fails.
Result<Exported> export_disk(Workspace& workspace, Target& target, const ExportOptions& options);

/// The hashes of every regular file of the machine (size, MD5, SHA-256, path as the instance saw it), as hashdeep(1) writes and reads them. Damaged
/// files become anomalies. Gives how many were hashed.
Result<std::uint64_t> write_hashdeep(Workspace& workspace, const Target& target, const Path& file);

struct ContainerCheck {
  std::vector<std::string> lines;  ///< "MD5 … fits"
  bool fits = true;
};

/// Reads a local image whole and holds it against the hashes that its maker stored in it (E01). kInvalidArgument where there are none.
Result<ContainerCheck> check_container(const Path& image, Progress& progress);

}  // namespace icecore::engine
