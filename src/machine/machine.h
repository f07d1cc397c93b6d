// All volumes put together as the instance saw them: its root, and the others mounted where its fstab said. Links never lead out of it.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/anomaly.h"
#include "core/provenance.h"
#include "machine/partition.h"

namespace icecore::machine {

struct Mount {
  std::string path;           ///< "/", "/srv"; "/volumes/vol-…/partition-1" where the machine's fstab does not name it
  std::size_t partition = 0;  ///< index in Machine::partitions()
  bool by_fstab = false;      ///< false for the root that was recognised, and for what is under /volumes
};

/// A file, folder or link that was found. A value: it stays good as long as the Machine. A folder with inode 0 stands only in this view (the way to
/// a mount point that no filesystem holds).
struct FileRef {
  std::size_t mount = 0;  ///< index in Machine::mounts()
  std::string path;       ///< as the instance saw it, absolute, every link in it followed ("/usr/bin/ss" for "/bin/ss"); raw bytes
  fs::FileInfo info;
};

struct DirectoryItem {
  std::string name;  ///< raw bytes
  fs::FileType type = fs::FileType::kUnknown;
  std::uint64_t inode = 0;  ///< in the directory's filesystem, also where something is mounted over it
};

/// Bytes in a volume's image.
struct ImageRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool operator==(const ImageRange&) const = default;
};

/// What to do when the last name of a path is a symbolic link.
enum class Links { kFollow, kKeep };

/// What walk() does after an entry.
enum class Walk { kEnter, kSkip, kStop };

struct WalkOptions {
  std::size_t maximum_depth = 64;            ///< below the start
  std::size_t maximum_entries = 10'000'000;  ///< reaching it is an anomaly
};

/// True for errors that end the run (integrity, network, interruption, local disk …) and are never turned into anomalies; false for damaged evidence,
/// which is an anomaly, after which the run goes on.
bool ends_the_run(Code code);

/// Const and thread-safe once assembled.
///
/// Two kinds of functions: *exact* ones (resolve, list, read, read_at, content_extents) give every error; *lenient* ones (find, glob, walk, content)
/// give only errors that end the run (ends_the_run): what is missing is left out, and what is damaged or too large becomes an anomaly
/// "machine.unreadable" with its path.
class Machine {
 public:
  /// Finds the root filesystem, reads its fstab and mounts the rest. `anomalies` must outlive the machine. kInvalidArgument without any partition.
  static Result<std::shared_ptr<const Machine>> assemble(std::vector<Partition> partitions, Anomalies& anomalies);

  const std::vector<Partition>& partitions() const { return partitions_; }
  /// Longest path first is not promised; the root, where there is one, comes first.
  const std::vector<Mount>& mounts() const { return mounts_; }
  /// False where only data volumes were given: then all is under /volumes.
  bool has_root() const { return has_root_; }
  /// Device words of the fstab's lines (not swap, not of the network) whose filesystem was not given: "LABEL=shop-data on /srv".
  const std::vector<std::string>& missing_mounts() const { return missing_; }
  const fs::Filesystem& filesystem_of(const FileRef& file) const;
  const Partition& partition_of(const FileRef& file) const;

  // Exact.

  /// Goes along `path` (absolute, or taken from "/") across mounts, ".." and links (at most 40) as the kernel would inside a chroot. kNotFound;
  /// kInvalidArgument (a file where a folder is needed; too many links).
  Result<FileRef> resolve(std::string_view path, Links links = Links::kFollow) const;
  /// The entries of a folder, by name in byte order, mount points included.
  Result<std::vector<DirectoryItem>> list(const FileRef& directory) const;
  /// One entry of a folder, its link not followed; like resolve(), and cheaper.
  Result<FileRef> child(const FileRef& directory, std::string_view name) const;
  Result<std::string> readlink(const FileRef& link) const;
  /// The content of a regular file; kUnsupported where it is over `limit` bytes, kInvalidArgument where it is no regular file.
  Result<std::string> read(const FileRef& file, std::uint64_t limit = kDefaultLimit) const;
  /// At most out.size() bytes from `offset`; fewer only at the end.
  Result<std::size_t> read_at(const FileRef& file, std::uint64_t offset, std::span<std::byte> out) const;
  /// Where bytes [offset, offset + length) of a file lie in the volume's image, ascending in the file; the inode's record where the content is inside
  /// it.
  Result<std::vector<ImageRange>> content_extents(const FileRef& file, std::uint64_t offset = 0,
                                                  std::uint64_t length = std::numeric_limits<std::uint64_t>::max()) const;
  /// Lets the source fetch what reading the first `limit` bytes of each will need, as one round.
  Result<void> prefetch(std::span<const FileRef> files, std::uint64_t limit = kDefaultLimit) const;

  // Lenient.

  /// nullopt where there is no such file.
  Result<std::optional<FileRef>> find(std::string_view path, Links links = Links::kFollow) const;
  /// Files whose path matches: `*`, `?`, `[a-z]` within one name ("/home/*/.bash_history"); a leading dot is matched by `*`, unlike in a shell,
  /// because hiding is what we look for. In byte order; at most 100,000. `links` is for the last name; folders before it are always followed.
  Result<std::vector<FileRef>> glob(std::string_view pattern, Links links = Links::kFollow) const;
  /// Everything below a folder (not itself), parents first, across mounts, never through links. `visit` returns whether to enter a folder.
  Result<void> walk(std::string_view directory, const std::function<Walk(const FileRef&)>& visit, const WalkOptions& options = {}) const;
  /// resolve + read: nullopt where it is missing or cannot be read.
  Result<std::optional<std::string>> content(std::string_view path, std::uint64_t limit = kDefaultLimit) const;
  /// read, nullopt where it cannot be read.
  Result<std::optional<std::string>> content(const FileRef& file, std::uint64_t limit = kDefaultLimit) const;

  /// Where a file stands: snapshot, volume, partition, filesystem, inode, path, time (mtime), and image_offset of its content's first byte, or of its
  /// inode where it has none. Never fails: what cannot be told is left out. A caller that has a byte offset in the file gives it.
  Provenance provenance(const FileRef& file, std::optional<std::uint64_t> offset = std::nullopt) const;

  /// Records damage once for each path; for collectors and detectors that meet it outside the lenient functions.
  void report(std::string_view path, const Error& error) const;

  static constexpr std::uint64_t kDefaultLimit = std::uint64_t{16} << 20;

 private:
  Machine(std::vector<Partition> partitions, Anomalies& anomalies);
  Result<void> mount_all();
  Result<void> mount_by_fstab(std::vector<bool>& placed);
  void mount_the_rest(const std::vector<bool>& placed);
  Result<FileRef> root_of(std::size_t mount) const;
  FileRef top() const;
  std::optional<std::size_t> mount_at(std::string_view path) const;
  bool leads_to_mount(std::string_view path) const;
  Result<FileRef> stored_child(const FileRef& directory, std::string_view name, std::string path) const;
  /// True where the error is dealt with (missing, or reported as damage); false where it ends the run.
  bool forgive(std::string_view path, const Error& error) const;

  std::vector<Partition> partitions_;
  std::vector<Mount> mounts_;
  std::vector<std::string> missing_;
  bool has_root_ = false;
  Anomalies& anomalies_;
  mutable std::mutex mutex_;  // guards reported_
  mutable std::set<std::string, std::less<>> reported_;
};

/// Sets image_offset to where a byte of the partition's filesystem lies; on a volume over several disks snapshot and volume too. Absent for a byte
/// that lies nowhere.
void place_in_image(const Partition& partition, std::uint64_t source_offset, Provenance& where);

using MachinePtr = std::shared_ptr<const Machine>;

}  // namespace icecore::machine
