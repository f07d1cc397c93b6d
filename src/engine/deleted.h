// Deleted files of a target's filesystems, and what triage wants of them.
#pragma once

#include <vector>

#include "detect/scene.h"
#include "engine/workspace.h"

namespace icecore::engine {

/// Fills Sweep::deleted of every mount that was swept. The journal is fetched whole, as one round for each filesystem. A filesystem where it fails is
/// an anomaly ("filesystem.deleted") and has none; only errors that end the run come back.
Result<void> find_deleted(Workspace& workspace, const machine::Machine& machine, std::vector<detect::Sweep>& sweeps);

/// Contents of deleted files that are whole, small and from places where they tell something (temporary and hidden folders, homes, logs, settings,
/// programs): the newest first, and no more than kMostRecoveredBlocks blocks of 512 KiB in all, fetched as one round for each filesystem. What
/// package managers leave behind is not among them.
Result<std::vector<detect::RecoveredFile>> recover_telling(const machine::Machine& machine, const std::vector<detect::Sweep>& sweeps);

inline constexpr std::size_t kMostRecoveredBlocks = 64;

/// Where a deleted file stood, for findings and manifests: image_offset of its content's first byte, else of the record that tells of it.
Provenance provenance_of(const machine::Machine& machine, std::size_t mount, const fs::DeletedFile& file);

/// "/srv" + "/x" for a file of the filesystem mounted there; "" where the file has no name.
std::string machine_path(const machine::Machine& machine, std::size_t mount, std::string_view inside);

}  // namespace icecore::engine
