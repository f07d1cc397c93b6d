// `icecore recover`: contents of deleted files out of the image onto this machine, with a manifest of what they are and how that is known.
#pragma once

#include <functional>
#include <string>

#include "core/json.h"
#include "engine/target.h"
#include "fs/deleted_file.h"

namespace icecore::engine {

struct RecoverOptions {
  std::string pattern;                         ///< of paths as the instance saw them ("*" and "?" match "/" too); empty: all
  fs::Sureness least = fs::Sureness::kLikely;  ///< of the file and of its name; files without any name count by themselves
  bool partly = false;                         ///< also what is partly overwritten or known in part: zeros where the content is lost
  bool list_only = false;                      ///< nothing is written, the report alone is made
};

/// One deleted file, written or not. As JSON: a line of the manifest.
struct RecoveredEntry {
  std::string path;  ///< as the instance saw it; "" unknown
  std::size_t mount = 0;
  const fs::DeletedFile* file = nullptr;  ///< valid during the call
  Path local;                             ///< where its content is now; empty where nothing was written
  std::string sha256;                     ///< of what was written
  std::string left_out;                   ///< why nothing was
  Provenance where;
};
OrderedJson manifest_line(const RecoveredEntry& entry);

struct RecoverSummary {
  std::uint64_t found = 0, written = 0, bytes = 0;
  std::uint64_t only_partly = 0;  ///< left out, and RecoverOptions::partly would write them
  std::uint64_t overwritten = 0;  ///< left out because other files have all of their blocks
  std::string manifest_sha256;
};

/// Looks for deleted files on all filesystems of the target and writes the contents of regular ones below `destination` by their path (mode 0600 in
/// folders 0700; no owners, no set-id bits, no links): without a name as inode-N; of several of one path, the one that was deleted last has it and
/// the others get "~2" and so on. Names that would lead out become inode-N. manifest.jsonl there has a line for every deleted file, written or not.
/// `destination` must be empty or not there (kConflict). In a case the act is in the ledger, with the manifest's SHA-256. `report` is called for each
/// file.
Result<RecoverSummary> recover(Workspace& workspace, const Target& target, const Path& destination, const RecoverOptions& options,
                               const std::function<void(const RecoveredEntry&)>& report);

}  // namespace icecore::engine
