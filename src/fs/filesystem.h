// What every filesystem offers: ext4, XFS, and those read by libtsk. Parsing only: a BlockSource in, values out; no files, no network, no clock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/anomaly.h"
#include "core/progress.h"
#include "core/result.h"
#include "core/timestamp.h"
#include "fs/deleted_file.h"
#include "fs/extent.h"
#include "fs/file_table.h"
#include "image/block_source.h"

namespace icecore::fs {

/// Which view of a disk whose journal was not empty: as the kernel would see it after recovery (default), or as the blocks stand.
enum class JournalView { kRecovered, kAsOnDisk };

struct OpenOptions {
  JournalView view = JournalView::kRecovered;
};

struct FilesystemInfo {
  std::string type;   ///< "ext4", "ext2", "xfs", "ntfs", …
  std::string label;  ///< raw bytes up to the NUL
  std::string uuid;   ///< lower case with hyphens, empty if none
  std::uint64_t block_size = 0;
  std::uint64_t size = 0;  ///< bytes that the filesystem says it spans
  std::uint64_t root_inode = 0;
  bool journal_replayed = false;  ///< recovery changed something in this view
};

struct DirectoryEntry {
  std::string name;  ///< raw bytes
  std::uint64_t inode = 0;
  FileType type = FileType::kUnknown;
};

struct ExtendedAttribute {
  std::string name;  ///< with its namespace: "user.x", "security.capability"
  std::string value;
};

struct SweepOptions {
  bool deleted = true;  ///< also inodes that are free but still hold something
};

/// A mounted view of one filesystem. All functions are const and thread-safe. Errors are kCorrupt or what the source gives, with inode and offset.
class Filesystem {
 public:
  virtual ~Filesystem() = default;

  virtual const FilesystemInfo& info() const = 0;
  virtual const image::BlockSource& source() const = 0;

  virtual Result<FileInfo> stat(std::uint64_t inode) const = 0;

  /// Live entries without "." and "..", in disk order. kInvalidArgument where the inode is no directory.
  virtual Result<std::vector<DirectoryEntry>> list(std::uint64_t directory) const = 0;

  /// One name in a directory; kNotFound. The default looks through list().
  virtual Result<std::uint64_t> lookup(std::uint64_t directory, std::string_view name) const;

  /// Reads at most out.size() bytes of a regular file from `offset`; fewer only at its end. Holes and unwritten extents read as zeros.
  virtual Result<std::size_t> read(std::uint64_t inode, std::uint64_t offset, std::span<std::byte> out) const = 0;

  virtual Result<std::string> readlink(std::uint64_t inode) const = 0;
  virtual Result<std::vector<ExtendedAttribute>> xattrs(std::uint64_t inode) const = 0;

  /// Where the content lies, ascending. Empty for content that is inside the inode.
  virtual Result<std::vector<Extent>> extents(std::uint64_t inode) const = 0;

  /// Every name and inode, read in disk order with one prefetch a round. What does not parse goes to `anomalies`.
  virtual Result<FileTable> sweep(const SweepOptions& options, Anomalies& anomalies, Progress& progress) const = 0;

  /// The same filesystem as its blocks stand, where this view shows what recovery made of it; null where there is no other view.
  virtual Result<std::shared_ptr<const Filesystem>> without_recovery(Anomalies& anomalies) const;

  /// Deleted files with all that is known of them. `table` is this filesystem's own sweep with deleted inodes, `paths` is made of it. Reads more than
  /// a sweep: the whole journal (as one prefetch), bitmaps of the blocks that are asked after; never the contents. The default knows what the table
  /// holds and what extents() still gives for free inodes, and cannot tell whether those blocks have been used again (content kUnknown).
  virtual Result<DeletedFiles> deleted_files(const FileTable& table, const PathIndex& paths, Anomalies& anomalies, Progress& progress) const;

  /// Reads old content where it was: at most out.size() bytes from `offset`, fewer only at its end. Holes and what was never written are zeros; so
  /// are pieces that are not free any more, so that nobody's content is taken for another's.
  virtual Result<std::size_t> read_deleted(const DeletedFile& file, std::uint64_t offset, std::span<std::byte> out) const;
};

using FilesystemPtr = std::shared_ptr<const Filesystem>;

/// Reads a whole regular file; kUnsupported where it is larger than `limit` bytes.
Result<std::string> read_file(const Filesystem& filesystem, std::uint64_t inode, std::uint64_t limit);

/// Recognises and opens what `source` holds. kUnsupported names a known filesystem that this version does not read; kNotFound where nothing is
/// recognised.
Result<FilesystemPtr> open(image::SourcePtr source, const OpenOptions& options, Anomalies& anomalies);

}  // namespace icecore::fs
