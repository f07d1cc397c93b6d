// One filesystem read by libtsk, as our Filesystem.
#pragma once

#include <list>
#include <optional>

#include "fs/tsk/convert.h"
#include "fs/tsk/fat_entry.h"
#include "fs/tsk/handle.h"
#include "fs/tsk/iso_entry.h"

namespace icecore::fs::tsk {

class TskFilesystem final : public Filesystem {
 public:
  /// Reads the label and checks that the filesystem's counts fit the source. `info` has the type; uuid and label where the caller knows them.
  static Result<std::shared_ptr<const TskFilesystem>> make(std::shared_ptr<Handle> handle, FilesystemInfo info);
  ~TskFilesystem() override;

  const FilesystemInfo& info() const override { return info_; }
  const image::BlockSource& source() const override { return *handle_->source(); }
  Result<FileInfo> stat(std::uint64_t inode) const override;
  Result<std::vector<DirectoryEntry>> list(std::uint64_t directory) const override;
  /// Exact; then, as these filesystems do, without regard to case (ASCII).
  Result<std::uint64_t> lookup(std::uint64_t directory, std::string_view name) const override;
  Result<std::size_t> read(std::uint64_t inode, std::uint64_t offset, std::span<std::byte> out) const override;
  Result<std::string> readlink(std::uint64_t inode) const override;
  Result<std::vector<ExtendedAttribute>> xattrs(std::uint64_t inode) const override;
  Result<std::vector<Extent>> extents(std::uint64_t inode) const override;
  Result<FileTable> sweep(const SweepOptions& options, Anomalies& anomalies, Progress& progress) const override;
  /// With `free` as the volume's own bitmap or FAT has it; content is kIntact where all of it is known to have lain there: in NTFS records, in the
  /// one cluster of a small file on FAT, and in the one run of an exFAT file that had no chain (exfat_set.h).
  Result<DeletedFiles> deleted_files(const FileTable& table, const PathIndex& paths, Anomalies& anomalies, Progress& progress) const override;

 private:
  friend class Sweeper;
  friend class DeletedContents;

  TskFilesystem(std::shared_ptr<Handle> handle, FilesystemInfo info) : handle_(std::move(handle)), info_(std::move(info)) {}
  Result<void> look_around();

  // Under the handle's lock.
  Result<TSK_FS_FILE*> file(std::uint64_t inode) const;
  /// kCorrupt for libtsk's own folder of orphans, to which nothing on an honest disk leads: opening it walks the whole tree and, where a name leads
  /// to it there, waits for ever for a lock that it holds.
  Result<DirectoryPtr> folder(std::uint64_t inode) const;
  Result<const TSK_FS_ATTR*> content_of(TSK_FS_FILE& file, std::uint64_t inode) const;
  /// libtsk's name, or Rock Ridge's.
  Result<std::string> name_of(const TSK_FS_NAME& name) const;
  std::vector<Extent> extents_under_lock(std::uint64_t inode) const;
  /// exFAT's valid data length, which libtsk does not heed: what lies behind it is of older files. No limit where none is known.
  Result<std::uint64_t> written_length(std::uint64_t inode) const;

  /// Adds what libtsk does not tell: the place of the inode, times of FAT, exFAT and ISO 9660. Takes no lock.
  Result<void> complete(FileInfo& info) const;
  Location where(std::uint64_t inode) const { return {source().name(), std::nullopt, inode}; }

  const std::shared_ptr<Handle> handle_;
  FilesystemInfo info_;
  bool ntfs_ = false;
  std::optional<FatGeometry> fat_;
  IsoRecords iso_;
  std::vector<Extent> mft_;  // NTFS: where the master file table lies
  std::uint64_t mft_record_ = 0;

  struct OpenFile {
    std::uint64_t inode;
    FilePtr file;
  };
  mutable std::list<OpenFile> open_;  // the last ones used, guarded by the handle's lock
};

}  // namespace icecore::fs::tsk
