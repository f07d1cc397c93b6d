// ext2/3/4 from superblock to content, in both views of the journal.
#include "disk.h"
#include "fs/ext4/ext4.h"

namespace {

using namespace icecore;

constexpr std::size_t kFilesLookedAt = 200;

void look_at(const fs::Filesystem& filesystem, const fs::FileInfo& file) {
  std::byte buffer[5000];
  (void)filesystem.stat(file.inode);
  (void)filesystem.xattrs(file.inode);
  (void)filesystem.extents(file.inode);
  if (file.type == fs::FileType::kDirectory) (void)filesystem.list(file.inode);
  if (file.type == fs::FileType::kSymlink) (void)filesystem.readlink(file.inode);
  if (file.type == fs::FileType::kRegular) {
    (void)filesystem.read(file.inode, 0, buffer);
    if (file.size > sizeof buffer) (void)filesystem.read(file.inode, file.size - sizeof buffer, buffer);
  }
}

void examine(const image::SourcePtr& source, fs::JournalView view) {
  Anomalies anomalies;
  const auto filesystem = fs::ext4::open(source, fs::OpenOptions{view}, anomalies);
  if (!filesystem) return;
  const auto table = (*filesystem)->sweep({}, anomalies, no_progress());
  if (!table) return;
  const fs::PathIndex paths(*table);
  for (std::size_t i = 0; i < std::min(kFilesLookedAt, table->names.size()); ++i) (void)paths.path_of(table->names[i]);
  for (std::size_t i = 0; i < std::min(kFilesLookedAt, table->files.size()); ++i) look_at(**filesystem, table->files[i]);
  (void)(*filesystem)->list(2);
  const auto deleted = (*filesystem)->deleted_files(*table, paths, anomalies, no_progress());
  std::byte buffer[5000];
  for (std::size_t i = 0; deleted && i < std::min(kFilesLookedAt, deleted->files.size()); ++i)
    (void)(*filesystem)->read_deleted(deleted->files[i], 0, buffer);
}

}  // namespace

// A sweep reads the inode tables by the mebibyte.
const icecore::fuzz::Budget icecore::fuzz::kBudget{.base = 2 << 20};

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const auto source = fuzz::disk_of_blocks(fuzz::view_of(data, size));
  examine(source, fs::JournalView::kRecovered);
  examine(source, fs::JournalView::kAsOnDisk);
}
