// `icecore timeline --journal-diff`: what recovery changes. The disk as it stands is what tools without a journal see; what differs happened last.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/json.h"
#include "engine/target.h"

namespace icecore::engine {

struct JournalChange {
  enum class Kind {
    kCreated,      ///< the inode is there after recovery only
    kRemoved,      ///< the inode is there on the disk as it stands only
    kChanged,      ///< the same file, of another size, other times, owner or mode
    kNameAdded,    ///< a name of a file that is in both views: renamed to, linked
    kNameRemoved,  ///< … renamed from, unlinked
  };
  Kind kind = Kind::kChanged;
  std::size_t mount = 0;
  std::string path;  ///< as the instance saw it; of a changed file its first name
  std::uint64_t inode = 0;
  const fs::FileInfo* before = nullptr;  ///< on the disk as it stands; valid during the call
  const fs::FileInfo* after = nullptr;   ///< after recovery
  std::vector<std::string> fields;       ///< kChanged: which: "size", "modified", …
};
std::string_view change_name(JournalChange::Kind kind);  ///< "created", "removed", "changed", "name-added", "name-removed"

OrderedJson json_of(const JournalChange& change);
/// One line for people.
std::string text_of(const JournalChange& change);

/// Both views of every filesystem of the target whose journal or log was replayed, compared; by mount, kind and path. Gives the number of changes.
/// The target has to be opened with recovery: the view without has nothing to compare.
Result<std::uint64_t> journal_diff(Workspace& workspace, const Target& target, const std::function<Result<void>(const JournalChange&)>& report);

}  // namespace icecore::engine
