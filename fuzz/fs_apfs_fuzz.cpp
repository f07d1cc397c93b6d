// What is looked at before libtsk may read an APFS container. An input is the container's size in bytes (u64), then pieces: offset (u64), length
// (u32), bytes; all little-endian. Every block gets the checksum it needs, or no change to one would come past it. Seeds: fuzz/make_apfs_seed.
#include <set>

#include "disk.h"
#include "fs/tsk/apfs_check.h"

namespace {

using namespace icecore;

constexpr std::size_t kBlock = 4096;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;

// Fletcher's checksum, as the Apple File System Reference has it.
void seal(fuzz::SparseDisk& disk, std::uint64_t offset) {
  Bytes block(kBlock);
  disk.copy(offset, block);
  std::uint64_t low = 0, high = 0;
  for (std::size_t at = 8; at < kBlock; at += 4) {
    low = (low + load_le<std::uint32_t>(block, at)) % UINT32_MAX;
    high = (high + low) % UINT32_MAX;
  }
  const std::uint64_t first = UINT32_MAX - (low + high) % UINT32_MAX, second = UINT32_MAX - (low + first) % UINT32_MAX;
  disk.cover(offset, static_cast<std::uint32_t>(first));
  disk.cover(offset + 4, static_cast<std::uint32_t>(second));
}

void seal_all(fuzz::SparseDisk& disk) {
  constexpr std::size_t kMostBlocks = 256;
  const fuzz::NotCounted own;
  std::set<std::uint64_t> blocks;
  for (const auto& piece : disk.pieces())
    for (std::uint64_t at = piece.offset / kBlock * kBlock; at < piece.offset + piece.bytes.size() && blocks.size() < kMostBlocks; at += kBlock)
      blocks.insert(at);
  for (const std::uint64_t block : blocks) seal(disk, block);
}

}  // namespace

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return;
  const auto container = disk_of_pieces(view_of(data, size), kMostBytes);
  seal_all(*container);
  (void)fs::tsk::check_apfs(*container).has_value();
}
