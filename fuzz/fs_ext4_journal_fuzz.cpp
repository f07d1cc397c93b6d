// The journal: its superblock, descriptor, revoke and commit blocks. The seeds have no checksums, so that what a fuzzer changes is believed.
#include "ext4_parts.h"
#include "fs/ext4/journal.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  namespace e = fs::ext4;
  const auto disk = ext4_parts(data, size);
  if (!disk) return;
  Anomalies anomalies;
  const auto recovery = e::recover_journal(*disk, anomalies);
  if (!recovery) return;
  const e::JournalOverlay recovered(disk->source, disk->superblock.block_size, recovery->patches);
  std::byte block[1024];
  for (const e::BlockPatch& patch : recovery->patches) (void)recovered.read(patch.block * sizeof block, block);
}
