// Holds image.raw against blocks.db, block by block. Reads only; works on a copy of the database where a killed run left a journal.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/progress.h"
#include "image/on_demand_image.h"

namespace icecore::image {

struct ImageProblem {
  std::string file;                     ///< "image.raw" or "blocks.db"
  std::optional<std::uint64_t> block;   ///< index of the 512 KiB block
  std::optional<std::uint64_t> offset;  ///< byte in the image
  std::string message;
};

struct ImageCheck {
  std::vector<ImageProblem> problems;
  std::vector<std::string> notes;
  std::uint64_t blocks = 0;  ///< recorded blocks whose bytes were hashed
};

/// Every recorded block equals its hash; every other block holds nothing but zeros (with `unfinished`, blocks a killed run had not recorded yet are
/// a note, not a problem); the first rows of blocks.db hash to each of `seals`; a recorded whole-image hash fits. An error where it cannot be read.
Result<ImageCheck> verify_image(const Path& folder, const std::vector<ImageLogState>& seals, bool unfinished, std::size_t threads,
                                Progress& progress);

}  // namespace icecore::image
