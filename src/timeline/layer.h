// One filesystem's part of a timeline: its table, and how the instance saw it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fs/file_table.h"

namespace icecore::timeline {

/// Borrowed tables must outlive the layer.
struct Layer {
  const fs::FileTable* table = nullptr;
  const fs::PathIndex* paths = nullptr;
  std::string mount_point;  ///< "" for the root, "/srv" for another; put before each path
  std::string snapshot, volume, filesystem;
  std::optional<std::uint32_t> partition;
};

}  // namespace icecore::timeline
