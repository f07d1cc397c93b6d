// Which blocks of two snapshots are the same, as ListChangedBlocks tells: directly, or through the snapshot from which both volumes were made (the
// AMI's), through which sibling instances meet.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "engine/instance_record.h"
#include "engine/workspace.h"
#include "image/bitmap.h"

namespace icecore::engine {

/// What is known of the two snapshots' content. `same` says for each block of the second whether it equals the first's.
struct Kinship {
  image::Bitmap same;
  std::string via;  ///< the snapshot between them, empty where they were compared directly
};

/// Asks for what it needs once. Not thread-safe.
class Lineage {
 public:
  /// `region` of the snapshots; empty: the configured one. `workspace` outlives it.
  Lineage(Workspace& workspace, std::string region) : workspace_(workspace), region_(std::move(region)) {}

  /// nullopt where they are not of one lineage, or one of them may not be listed: `reason` then says why. Errors that end the run are returned.
  Result<std::optional<Kinship>> compare(const SnapshotRecord& first, const SnapshotRecord& second, std::string& reason);

 private:
  using Changed = std::optional<image::Bitmap>;
  Result<Changed> changed(const std::string& first, const SnapshotRecord& second, std::string& reason);
  Result<std::string> origin(const std::string& volume);

  Workspace& workspace_;
  const std::string region_;
  std::map<std::pair<std::string, std::string>, Changed> changed_;
  std::map<std::string, std::string> origins_;
};

}  // namespace icecore::engine
