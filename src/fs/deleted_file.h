// Deleted files, as every filesystem tells of them: what was there, how that is known and how sure it is, and whether the content still lies where it
// was. Filesystem::deleted_files() makes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/timestamp.h"
#include "fs/extent.h"
#include "fs/file_table.h"

namespace icecore::fs {

/// How sure a statement about the past is.
/// kGuess: the pieces fit, but something else may have been there in between (a name in slack whose inode has had other owners).
/// kLikely: nothing speaks against it, and no checksum or second source speaks for it.
/// kSure: one source shows it as it was, and that source's checksum holds.
enum class Sureness : std::uint8_t { kGuess, kLikely, kSure };
std::string_view sureness_name(Sureness sureness);  ///< "guess", "likely", "sure"

/// Where knowledge of something gone was read.
struct Origin {
  enum class Kind : std::uint8_t {
    kInodeTable,  ///< the free inode's own record, or its version on disk that recovery replaces
    kJournal,     ///< an older copy in the journal
    kDirectory,   ///< what is left in a directory's free space
  };
  Kind kind = Kind::kInodeTable;
  std::uint64_t offset = 0;                  ///< byte in the filesystem's source where it lies
  std::optional<std::uint64_t> transaction;  ///< of the journal: jbd2's sequence, XFS's LSN
  std::optional<std::uint64_t> block;        ///< the block of the filesystem of which the journal has a copy
  std::optional<Timestamp> committed;        ///< when that transaction was committed
};
std::string_view origin_name(Origin::Kind kind);  ///< "inode-table", "journal", "directory"

struct DeletedName {
  std::uint64_t parent = 0;                        ///< inode of the folder
  std::optional<std::uint32_t> parent_generation;  ///< which life of that inode, where known
  std::string text;                                ///< raw bytes
  std::string path;                                ///< from the filesystem's root, "/var/tmp/x"; "/$Orphan/<inode>/x" below an unknown folder
  Sureness sureness = Sureness::kGuess;            ///< that it was this file's, and this its folder
  Origin origin;
};

/// A piece of old content that is either all free now or all in use by something else.
struct DeletedExtent : Extent {
  bool free = false;  ///< no live file and no file deleted later holds it
};

enum class ContentState : std::uint8_t {
  kUnknown,            ///< where it was is not known, or only in part
  kNone,               ///< there was none: empty files, links, folders, devices
  kIntact,             ///< all of it lies where it was and no one has been given these blocks since, as far as can be known
  kPartlyOverwritten,  ///< some blocks belong to something else now
  kOverwritten,        ///< all of them do
};
std::string_view state_name(ContentState state);  ///< "unknown", "none", "intact", "partly-overwritten", "overwritten"

struct DeletedFile {
  FileInfo info;  ///< as it was while it lived; allocated is false. `deleted` and, where known, `changed` tell of its end
  Origin origin;  ///< of `info`
  Sureness sureness = Sureness::kGuess;
  std::vector<DeletedName> names;      ///< the surest first, of equally sure ones the last that it had; empty where no name is known
  std::vector<DeletedExtent> extents;  ///< ascending in the file; empty where unknown, or where the content was inside the inode
  std::string inside;                  ///< content (or a link's target) that was inside the inode
  bool size_exact = true;              ///< else whole blocks, as far as they are known
  bool inode_reused = false;           ///< the number belongs to another file now
  ContentState content = ContentState::kUnknown;

  /// The best path known, or "" without a name.
  std::string_view path() const { return names.empty() ? std::string_view() : std::string_view(names.front().path); }
};

/// A name that a file which still lives no longer has: it was renamed, or one of its links was removed.
struct FormerName {
  std::uint64_t inode = 0;
  DeletedName name;
};

struct DeletedFiles {
  std::vector<DeletedFile> files;          ///< ascending by inode
  std::vector<FormerName> former_names;    ///< ascending by inode
  std::uint64_t journal_transactions = 0;  ///< so many, old ones too, were found in the journal
};

/// What extents and size say of the content: `free` of all extents has to be right. kUnknown where `complete` is false.
ContentState judge_content(const DeletedFile& file, bool complete);

/// Fills every name's path: through the live tree (`table`, `paths` made of it) and through folders that are deleted themselves. Sorts each file's
/// names, the surest and last first. Bounded in depth; loops end in "$Orphan".
void resolve_paths(DeletedFiles& deleted, const FileTable& table, const PathIndex& paths);

}  // namespace icecore::fs
