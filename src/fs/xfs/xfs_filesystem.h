// XFS as a fs::Filesystem.
#pragma once

#include <list>
#include <memory>
#include <mutex>

#include "fs/filesystem.h"
#include "fs/xfs/extent_map.h"
#include "fs/xfs/log_intents.h"
#include "fs/xfs/reader.h"

namespace icecore::fs::xfs {

/// See xfs.h. Keeps the extent maps of the few files read last.
class XfsFilesystem final : public Filesystem {
 public:
  /// `pending`: mappings that recovery would still change (unfinished intents of the log), sorted by their order in the log.
  /// `on_disk`: the source without recovery, null where that is the same.
  XfsFilesystem(Reader reader, image::SourcePtr on_disk, std::vector<PendingMap> pending);

  const FilesystemInfo& info() const override { return info_; }
  const image::BlockSource& source() const override { return *reader_.source; }
  Result<FileInfo> stat(std::uint64_t inode) const override;
  Result<std::vector<DirectoryEntry>> list(std::uint64_t directory) const override;
  Result<std::size_t> read(std::uint64_t inode, std::uint64_t offset, std::span<std::byte> out) const override;
  Result<std::string> readlink(std::uint64_t inode) const override;
  Result<std::vector<ExtendedAttribute>> xattrs(std::uint64_t inode) const override;
  Result<std::vector<Extent>> extents(std::uint64_t inode) const override;
  Result<FileTable> sweep(const SweepOptions& options, Anomalies& anomalies, Progress& progress) const override;
  Result<FilesystemPtr> without_recovery(Anomalies& anomalies) const override;
  Result<DeletedFiles> deleted_files(const FileTable& table, const PathIndex& paths, Anomalies& anomalies, Progress& progress) const override;

  const Reader& reader() const { return reader_; }
  /// What an inode's data fork maps; of a free one, what it still does.
  Result<std::vector<Mapping>> mappings(std::uint64_t inode) const;

 private:
  struct Loaded {
    Bytes record;
    Inode inode;
  };
  struct FileMap {
    std::uint64_t inode = 0;
    FileInfo info;
    std::vector<Mapping> mappings;
  };

  Result<std::unique_ptr<const Loaded>> load(std::uint64_t inode) const;
  Result<std::vector<Mapping>> data_mappings(const Inode& inode) const;
  Result<std::shared_ptr<const FileMap>> file_map(std::uint64_t inode) const;
  Location at(const Inode& inode) const { return reader_.at(inode.info.inode_offset, inode.info.inode); }

  Reader reader_;
  image::SourcePtr on_disk_;
  FilesystemInfo info_;
  std::vector<PendingMap> pending_;  // by inode; of one inode in the order of the log
  mutable std::mutex mutex_;
  mutable std::list<std::shared_ptr<const FileMap>> recent_;  // newest first
};

}  // namespace icecore::fs::xfs
