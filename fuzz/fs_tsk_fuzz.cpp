// What we do with libtsk, and libtsk itself: the first byte chooses the filesystem that the rest is taken for.
#include <array>

#include "fs/tsk/tsk.h"
#include "sparse_image.h"

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

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto source = std::make_shared<fuzz::SparseImage>(data + 1, size - 1);
  if (source->size() < 4096) return 0;
  Anomalies anomalies;
  const auto filesystem = fs::tsk::open(source, kTypes[data[0] % kTypes.size()], anomalies);
  if (!filesystem) return 0;
  const auto table = (*filesystem)->sweep({}, anomalies, no_progress());
  if (!table) return 0;
  for (std::size_t i = 0; i < std::min(kFilesLookedAt, table->files.size()); ++i) look_at(**filesystem, table->files[i]);
  return 0;
}
