#include "fs/ext4/ext4.h"

#include <fmt/format.h>

#include "core/text.h"
#include "fs/ext4/disk.h"
#include "fs/ext4/fast_commit_replay.h"
#include "fs/ext4/filesystem_impl.h"
#include "fs/ext4/journal.h"
#include "fs/ext4/journal_overlay.h"
#include "fs/ext4/orphans.h"
#include "fs/ext4/sweep_parts.h"

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

// The disk as the kernel would leave it after recovery. Superblock and descriptors are in the log like everything else, so they are read again.
Result<bool> recover(Disk& disk, Anomalies& anomalies) {
  ICECORE_ASSIGN(Recovery recovery, recover_journal(disk, anomalies));
  if (recovery.patches.empty() && recovery.fast_commits.empty()) return false;
  auto overlay = std::make_shared<JournalOverlay>(disk.source, disk.superblock.block_size, recovery.patches);
  const std::uint32_t block_size = disk.superblock.block_size;
  ICECORE_ASSIGN(Disk recovered, read_disk(std::move(overlay), anomalies));
  if (recovered.superblock.block_size != block_size)
    return fail(Code::kCorrupt, "the journal holds a superblock of another block size", Location{recovered.source->name()});
  if (!recovery.fast_commits.empty()) {
    ICECORE_ASSIGN(WrittenBlocks written, replay_fast_commits(recovered, recovery.fast_commits, anomalies));
    recovered.source = std::make_shared<JournalOverlay>(disk.source, block_size, std::move(recovery.patches), std::move(written));
  }
  disk = std::move(recovered);
  return true;
}

}  // namespace

Result<FilesystemPtr> open(image::SourcePtr source, const OpenOptions& options, Anomalies& anomalies) {
  ICECORE_ASSIGN(Disk disk, read_disk(std::move(source), anomalies));
  bool replayed = false;
  std::vector<std::uint64_t> orphans;
  if (options.view == JournalView::kAsOnDisk) {
    ICECORE_ASSIGN(orphans, find_orphans(disk, anomalies));
  } else if (disk.superblock.incompat(incompat::kRecover)) {
    const auto recovered = recover(disk, anomalies);
    if (!recovered && !is_evidence_error(recovered.error())) return Failure(recovered.error());
    if (!recovered) anomalies.add("ext4.journal", recovered.error());
    replayed = recovered.value_or(false);
  }
  compare_sizes(disk, anomalies);
  return FilesystemPtr(std::make_shared<Ext4>(std::move(disk), options.view, replayed, std::move(orphans)));
}

}  // namespace icecore::fs::ext4
