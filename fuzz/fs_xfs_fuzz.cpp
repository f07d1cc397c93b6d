// A hostile XFS: opened in both views, swept, and its first inodes asked for all that can be asked.
#include <array>

#include "disk.h"
#include "fs/xfs/xfs.h"

namespace {

using namespace icecore;

void ask(const fs::Filesystem& filesystem, std::uint64_t inode) {
  std::array<std::byte, 4096> buffer;
  (void)filesystem.stat(inode).has_value();
  (void)filesystem.list(inode).has_value();
  (void)filesystem.read(inode, 0, buffer).has_value();
  (void)filesystem.read(inode, std::uint64_t{1} << 40, buffer).has_value();
  (void)filesystem.readlink(inode).has_value();
  (void)filesystem.xattrs(inode).has_value();
  (void)filesystem.extents(inode).has_value();
}

}  // namespace

// A sweep reads inodes into two buffers of a mebibyte. Each inode of 256 bytes may become a row of the table and a deleted file of 400 bytes beside
// it, thrice while those grow.
const icecore::fuzz::Budget icecore::fuzz::kBudget{.base = 4 << 20};

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const auto source = fuzz::disk_of_pieces(fuzz::view_of(data, size));
  for (const auto view : {fs::JournalView::kAsOnDisk, fs::JournalView::kRecovered}) {
    Anomalies anomalies;
    const auto filesystem = fs::xfs::open(source, {view}, anomalies);
    if (!filesystem) continue;
    const auto table = (*filesystem)->sweep({}, anomalies, no_progress());
    if (!table) continue;
    for (std::size_t i = 0; i < table->files.size() && i < 32; ++i) ask(**filesystem, table->files[i].inode);
    ask(**filesystem, (*filesystem)->info().root_inode);
    const auto deleted = (*filesystem)->deleted_files(*table, fs::PathIndex(*table), anomalies, no_progress());
    for (std::size_t i = 0; deleted && i < deleted->files.size() && i < 32; ++i) {
      std::byte buffer[4096];
      (void)(*filesystem)->read_deleted(deleted->files[i], 0, buffer).has_value();
    }
  }
}
