// The superblock of ext2/3/4, primary and backups, its checksum put right so that what a fuzzer changes is believed.
#include <array>

#include "core/hash.h"
#include "disk.h"
#include "fs/ext4/ext4_format.h"
#include "fs/ext4/group_table.h"
#include "fs/ext4/superblock.h"

namespace {

using namespace icecore;
namespace e = fs::ext4;

void put_checksum_right(std::span<std::byte> raw) {
  store_le(raw, e::super_field::kChecksum, crc32c(~std::uint32_t{0}, raw.first(e::super_field::kChecksum)));
}

void use(const e::Superblock& superblock) {
  (void)superblock.type();
  (void)superblock.size();
  (void)superblock.is_internal(superblock.journal_inode);
  (void)e::descriptor_offset(superblock, 0);
  (void)e::descriptor_offset(superblock, superblock.groups - 1);
}

}  // namespace

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const ByteView in = view_of(data, size);
  std::array<std::byte, e::kSuperblockSize> raw{};  // outlives the disk
  std::ranges::copy(in.first(std::min(in.size(), raw.size())), raw.begin());
  put_checksum_right(raw);
  bool checksum_ok = false;
  if (const auto superblock = e::decode_superblock(raw, Location{"fuzz"}, checksum_ok)) use(*superblock);

  // Behind the first: a disk of which the first block that is there is the backup.
  const auto disk = disk_of_blocks(in.subspan(std::min(in.size(), raw.size())));
  {
    const NotCounted own;
    disk->cover(e::kSuperblockOffset, raw);
  }
  Anomalies anomalies;
  if (const auto superblock = e::read_superblock(*disk, anomalies)) use(*superblock);
}
