#include "fs/ext4/ext4.h"

#include <fmt/format.h>

#include "core/text.h"
#include "fs/ext4/disk.h"
#include "fs/ext4/filesystem_impl.h"

namespace icecore::fs::ext4 {
namespace {

// Smaller rests are usual: mke2fs leaves out a last group that could not hold its own tables.
constexpr std::uint64_t kTailWorthSaying = std::uint64_t{16} << 20;

Result<Disk> read_disk(image::SourcePtr source, Anomalies& anomalies) {
  Disk disk;
  disk.source = std::move(source);
  ICECORE_ASSIGN(disk.superblock, read_superblock(*disk.source, anomalies));
  ICECORE_ASSIGN(disk.groups, read_groups(*disk.source, disk.superblock, anomalies));
  return disk;
}

void compare_sizes(const Disk& disk, Anomalies& anomalies) {
  const std::uint64_t has = disk.source->size(), says = disk.superblock.size();
  if (says > has)
    anomalies.add("filesystem.truncated",
                  Error{Code::kCorrupt,
                        fmt::format("the filesystem spans {} but its volume holds only {} ({} bytes are missing): was the image cut short?",
                                    human_size(says), human_size(has), says - has),
                        Location{disk.source->name(), has}, nullptr});
  if (has > says && has - says >= kTailWorthSaying)
    anomalies.add("filesystem.tail",
                  Error{Code::kUnsupported,
                        fmt::format("the volume goes on for {} behind the filesystem's end; what is there belongs to no file and was not read",
                                    human_size(has - says)),
                        Location{disk.source->name(), says}, nullptr});
}

}  // namespace

Result<FilesystemPtr> open(image::SourcePtr source, const OpenOptions& options, Anomalies& anomalies) {
  ICECORE_ASSIGN(Disk disk, read_disk(std::move(source), anomalies));
  compare_sizes(disk, anomalies);
  return FilesystemPtr(std::make_shared<Ext4>(std::move(disk), options.view, false, std::vector<std::uint64_t>{}));
}

}  // namespace icecore::fs::ext4
