#include <fmt/format.h>
#include <algorithm>

#include "fs/xfs/deleted.h"
#include "fs/xfs/log_replay.h"
#include "fs/xfs/sweep.h"
#include "fs/xfs/xfs.h"
#include "fs/xfs/xfs_filesystem.h"

namespace icecore::fs::xfs {
namespace {

void note_superblock(const Reader& reader, Anomalies& anomalies) {
  const Superblock& super = reader.super;
  const Location where = reader.at(0);
  if (!super.checksum_ok) anomalies.add("xfs.superblock-checksum", {Code::kCorrupt, "the XFS superblock has a wrong checksum", where, {}});
  if ((super.features_incompatible & sb::kIncompatibleNeedsRepair) != 0)
    anomalies.add("xfs.needs-repair", {Code::kCorrupt, "the XFS is marked as in need of repair: the kernel refuses to mount it", where, {}});
  if (super.size() > reader.source->size())
    anomalies.add("xfs.truncated",
                  {Code::kCorrupt, fmt::format("the XFS spans {} bytes, but the source has {}", super.size(), reader.source->size()), where, {}});
}

// The log may have changed the superblock: the filesystem was grown, or got a feature or a label.
Result<void> read_again(Reader& reader, Anomalies& anomalies) {
  ICECORE_ASSIGN(const Bytes sector, reader.bytes(0, reader.super.sector_size));
  auto super = parse_superblock(sector, reader.source->name());
  if (super)
    reader.super = std::move(*super);
  else
    anomalies.add("xfs.log", std::move(super).error());
  return {};
}

}  // namespace

bool recognised(ByteView first_sector) { return first_sector.size() >= 4 && load_be<std::uint32_t>(first_sector, 0) == sb::kMagic; }

Result<FilesystemPtr> open(image::SourcePtr source, const OpenOptions& options, Anomalies& anomalies) {
  Bytes sector(static_cast<std::size_t>(std::min<std::uint64_t>(source->size(), 32768)));
  if (sector.size() < sb::kSize) return fail(Code::kNotFound, "the source is too small for an XFS", Location{source->name(), 0});
  ICECORE_CHECK(source->read(0, sector));
  ICECORE_ASSIGN(Superblock super, parse_superblock(sector, source->name()));
  Reader reader{std::move(source), std::move(super)};
  note_superblock(reader, anomalies);
  Recovered recovered;
  image::SourcePtr on_disk;
  if (options.view == JournalView::kRecovered) {
    ICECORE_ASSIGN(recovered, replay_log(reader, anomalies));
    if (recovered.changed) on_disk = reader.source;
    reader.source = recovered.source;
    ICECORE_CHECK(read_again(reader, anomalies));
  }
  return FilesystemPtr(std::make_shared<XfsFilesystem>(std::move(reader), std::move(on_disk), std::move(recovered.pending)));
}

Result<FileTable> XfsFilesystem::sweep(const SweepOptions& options, Anomalies& anomalies, Progress& progress) const {
  return sweep_inodes(reader_, options, anomalies, progress);
}

Result<FilesystemPtr> XfsFilesystem::without_recovery(Anomalies& anomalies) const {
  if (on_disk_ == nullptr) return FilesystemPtr();
  return xfs::open(on_disk_, {JournalView::kAsOnDisk}, anomalies);
}

Result<DeletedFiles> XfsFilesystem::deleted_files(const FileTable& table, const PathIndex& paths, Anomalies& anomalies, Progress& progress) const {
  (void)progress;
  return find_deleted(*this, table, paths, anomalies);
}

}  // namespace icecore::fs::xfs
