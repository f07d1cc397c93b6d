// Merging: every time of every file, and every event, in one order.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "artefact/event.h"
#include "core/result.h"
#include "timeline/gone.h"
#include "timeline/layer.h"

namespace icecore::timeline {

/// One row of a timeline before it is written: either a time of a file or an event. Compact, since a disk has millions.
struct Row {
  Timestamp time;
  std::uint32_t layer = 0;  ///< index of the layer; kEvent for an event
  std::uint32_t index = 0;  ///< of the name (past the names: of the root or a nameless file; past these: of the gone name), or of the event
  char kind = 'm';          ///< m, a, c, b, d (deletion), s (a name was last seen in the journal); 'e' for an event
};

constexpr std::uint32_t kEventLayer = 0xFFFFFFFF;

/// All rows, ascending in time; equal times keep the order layer, name, m-a-c-b, events last.
std::vector<Row> ordered_rows(std::span<const Layer> layers, std::span<const artefact::Event> events);

/// What a row of a file speaks of.
struct FileRow {
  std::string path;                    ///< as the instance saw it, raw bytes
  const fs::FileInfo* file = nullptr;  ///< null where a deleted name's inode is not known
  bool deleted = false;
  const fs::DeletedFile* gone = nullptr;  ///< where more is known of a deleted file …
  const fs::DeletedName* name = nullptr;  ///< … and of its name
};

/// Resolves rows to files. Holds the files without a name and the gone ones of each layer, so make it once.
class RowReader {
 public:
  explicit RowReader(std::span<const Layer> layers);
  FileRow file_row(const Row& row) const;

 private:
  std::span<const Layer> layers_;
  std::vector<std::vector<const fs::FileInfo*>> without_names_;
  std::vector<std::vector<GoneName>> gone_;
};

}  // namespace icecore::timeline
