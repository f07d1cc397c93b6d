// The Filesystem over a Disk. Made by open() only.
#pragma once

#include "fs/ext4/disk.h"
#include "fs/filesystem.h"

namespace icecore::fs::ext4 {

class Ext4 final : public Filesystem {
 public:
  /// `orphans`: inodes without a link that the kernel still held open, ascending.
  Ext4(Disk disk, JournalView view, bool journal_replayed, std::vector<std::uint64_t> orphans);

  const FilesystemInfo& info() const override { return info_; }
  const image::BlockSource& source() const override { return *disk_.source; }
  Result<FileInfo> stat(std::uint64_t inode) const override;
  Result<std::vector<DirectoryEntry>> list(std::uint64_t directory) const override;
  Result<std::size_t> read(std::uint64_t inode, std::uint64_t offset, std::span<std::byte> out) const override;
  Result<std::string> readlink(std::uint64_t inode) const override;
  Result<std::vector<ExtendedAttribute>> xattrs(std::uint64_t inode) const override;
  Result<std::vector<Extent>> extents(std::uint64_t inode) const override;
  Result<FileTable> sweep(const SweepOptions& options, Anomalies& anomalies, Progress& progress) const override;
  Result<FilesystemPtr> without_recovery(Anomalies& anomalies) const override;
  Result<DeletedFiles> deleted_files(const FileTable& table, const PathIndex& paths, Anomalies& anomalies, Progress& progress) const override;

 private:
  Result<Inode> load_used(std::uint64_t inode) const;

  const Disk disk_;
  const std::vector<std::uint64_t> kept_orphans_;  // still allocated in this view
  const JournalView view_;
  FilesystemInfo info_;
};

}  // namespace icecore::fs::ext4
