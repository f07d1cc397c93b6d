// Group descriptors, of every size and place: behind the superblock, or spread over meta groups. An input: options (u8), the number of groups (u16),
// then a disk as disk_of_blocks() has it.
#include "ext4_parts.h"

namespace {

constexpr std::uint8_t kMetaBlockGroups = 32, kGroupChecksums = 64, kLargeBlocks = 128;

}  // namespace

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  namespace e = fs::ext4;
  const ByteView in = view_of(data, size);
  if (in.size() < 5) return;
  const auto options = std::to_integer<std::uint8_t>(in[0]);
  const auto disk = disk_of_blocks(in.subspan(3));
  e::Superblock superblock = ext4_superblock(options, disk->size() / 1024);
  superblock.groups = std::max<std::uint32_t>(1, load_le<std::uint16_t>(in, 1));
  superblock.blocks_per_group = 512;
  superblock.inodes = superblock.groups * superblock.inodes_per_group;
  if ((options & kLargeBlocks) != 0) superblock.block_size = 4096, superblock.first_data_block = 0, superblock.blocks /= 4;
  if ((options & kWith64Bit) != 0) superblock.descriptor_size = 64;
  if ((options & kMetaBlockGroups) != 0) superblock.feature_incompat |= e::incompat::kMetaBg;
  if ((options & kGroupChecksums) != 0) superblock.feature_ro_compat |= e::ro_compat::kGroupChecksum;
  Anomalies anomalies;
  const auto groups = e::read_groups(*disk, superblock, anomalies);
  if (!groups) return;
  for (std::uint32_t i = 0; i < groups->size(); ++i) (void)e::descriptor_offset(superblock, i);
}
