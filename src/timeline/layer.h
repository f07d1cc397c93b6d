// One filesystem's part of a timeline: its table, and how the instance saw it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fs/deleted_file.h"
#include "fs/file_table.h"

namespace icecore::timeline {

/// Borrowed tables must outlive the layer.
struct Layer {
  const fs::FileTable* table = nullptr;
  const fs::PathIndex* paths = nullptr;
  const fs::DeletedFiles* deleted = nullptr;  ///< null: deleted files are those of the table only
  std::string mount_point;                    ///< "" for the root, "/srv" for another; put before each path
  std::string snapshot, volume, filesystem;
  std::optional<std::uint32_t> partition;
};

}  // namespace icecore::timeline
