// What we do with libtsk, and libtsk itself: the first byte chooses the filesystem that the rest is taken for.
#include <array>

#include "disk.h"
#include "fs/tsk/tsk.h"

namespace {

using namespace icecore;

constexpr std::array<std::string_view, 5> kTypes = {"vfat", "exfat", "ntfs", "iso9660", "hfsplus"};
constexpr std::size_t kFilesLookedAt = 50;

void look_at(const fs::Filesystem& filesystem, const fs::FileInfo& file) {
  std::byte buffer[5000];
  (void)filesystem.stat(file.inode);
  (void)filesystem.xattrs(file.inode);
  (void)filesystem.extents(file.inode);
  if (file.type == fs::FileType::kDirectory) (void)filesystem.list(file.inode);
  if (file.type == fs::FileType::kSymlink) (void)filesystem.readlink(file.inode);
  if (file.type == fs::FileType::kRegular) (void)filesystem.read(file.inode, 0, buffer);
}

}  // namespace

// libtsk's own cache, and its tables of names.
const icecore::fuzz::Budget icecore::fuzz::kBudget{.base = 4 << 20};

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return;
  const auto source = fuzz::disk_of_blocks(fuzz::view_of(data + 1, size - 1));
  if (source->size() < 4096) return;
  Anomalies anomalies;
  const auto filesystem = fs::tsk::open(source, kTypes[data[0] % kTypes.size()], anomalies);
  if (!filesystem) return;
  const auto table = (*filesystem)->sweep({}, anomalies, no_progress());
  if (!table) return;
  for (std::size_t i = 0; i < std::min(kFilesLookedAt, table->files.size()); ++i) look_at(**filesystem, table->files[i]);
  const auto deleted = (*filesystem)->deleted_files(*table, fs::PathIndex(*table), anomalies, no_progress());
  if (!deleted) return;
  std::byte buffer[5000];
  for (std::size_t i = 0; i < std::min(kFilesLookedAt, deleted->files.size()); ++i) (void)(*filesystem)->read_deleted(deleted->files[i], 0, buffer);
}
