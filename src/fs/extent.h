// Where a piece of a file's content lies.
#pragma once

#include <cstdint>

namespace icecore::fs {

/// A run of a file's content. Holes have none.
struct Extent {
  std::uint64_t file_offset = 0;
  std::uint64_t source_offset = 0;  ///< byte in the filesystem's BlockSource
  std::uint64_t length = 0;         ///< bytes
  bool unwritten = false;           ///< allocated, reads as zeros
};

}  // namespace icecore::fs
