// Deleted files of ext2/3/4 out of the journal's old copies: descriptors, inode lives, past block maps, names. The seeds have no checksums, so that
// what a fuzzer changes is believed.
#include "disk.h"
#include "fs/ext4/ext4.h"

namespace {

using namespace icecore;

void look_for_deleted(const image::SourcePtr& source, fs::JournalView view) {
  Anomalies anomalies;
  const auto filesystem = fs::ext4::open(source, fs::OpenOptions{view}, anomalies);
  if (!filesystem) return;
  const auto table = (*filesystem)->sweep({}, anomalies, no_progress());
  if (!table) return;
  const auto deleted = (*filesystem)->deleted_files(*table, fs::PathIndex(*table), anomalies, no_progress());
  if (!deleted) return;
  std::byte buffer[5000];
  for (std::size_t i = 0; i < std::min<std::size_t>(100, deleted->files.size()); ++i) {
    const fs::DeletedFile& file = deleted->files[i];
    (void)(*filesystem)->read_deleted(file, 0, buffer).has_value();
    if (file.info.size > sizeof buffer) (void)(*filesystem)->read_deleted(file, file.info.size - sizeof buffer, buffer).has_value();
  }
}

}  // namespace

// A sweep reads the inode tables by the mebibyte.
const icecore::fuzz::Budget icecore::fuzz::kBudget{.base = 2 << 20};

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const auto source = fuzz::disk_of_blocks(fuzz::view_of(data, size));
  look_for_deleted(source, fs::JournalView::kRecovered);
  look_for_deleted(source, fs::JournalView::kAsOnDisk);
}
