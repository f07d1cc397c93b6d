// Superblocks of md arrays (their checksums put right) and the arrays made of two such members.
#include <cstring>

#include "disk.h"
#include "volume/md.h"

namespace {

using namespace icecore;

constexpr std::size_t kDisk = 1 << 20;

void put_right(std::span<std::byte> superblock, std::size_t checksum_at, std::size_t length) {
  std::uint64_t sum = 0;
  std::memset(superblock.data() + checksum_at, 0, 4);
  for (std::size_t at = 0; at + 4 <= length; at += 4) sum += load_le<std::uint32_t>(superblock, at);
  if (length % 4 == 2) sum += load_le<std::uint16_t>(superblock, length - 2);
  const auto folded = static_cast<std::uint32_t>((sum & 0xFFFFFFFF) + (sum >> 32));
  std::memcpy(superblock.data() + checksum_at, &folded, 4);
}

// The first byte says which version's place it takes.
std::shared_ptr<fuzz::MemoryDisk> member(const std::uint8_t* data, std::size_t size) {
  auto disk = fuzz::empty_disk(kDisk);
  if (size < 2) return disk;
  const std::size_t place = data[0] % 4 == 0 ? 4096 : data[0] % 4 == 1 ? 0 : data[0] % 4 == 2 ? kDisk - 8192 : kDisk - 65536;
  const auto superblock = disk->bytes().subspan(place, 4096);
  std::memcpy(superblock.data(), data + 1, std::min<std::size_t>(size - 1, superblock.size()));
  if (data[0] % 4 == 3) {
    put_right(superblock, 152, 4096);
  } else {
    const std::uint64_t sector = place / 512;
    std::memcpy(superblock.data() + 144, &sector, 8);
    const std::size_t roles = load_le<std::uint32_t>(superblock, 220);
    put_right(superblock, 216, std::min<std::size_t>(256 + 2 * std::min<std::size_t>(roles, 2048), 4096) / 2 * 2);
  }
  return disk;
}

}  // namespace

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  std::vector<volume::MdMember> members;
  for (const auto& [from, length] : {std::pair(std::size_t{0}, size / 2), std::pair(size / 2, size - size / 2)}) {
    auto source = member(data + from, length);
    auto superblock = volume::read_md_superblock(*source);
    if (superblock) members.push_back({std::move(source), std::move(*superblock)});
  }
  Anomalies anomalies;
  for (const volume::MdArray& array : volume::assemble_arrays(members, anomalies)) {
    Bytes buffer(static_cast<std::size_t>(std::min<std::uint64_t>(array.source->size(), 64 << 10)));
    (void)array.source->read(0, buffer);
    (void)array.source->read(array.source->size() - buffer.size(), buffer);
    if (array.source->size() > 0) (void)array.source->image_offset(array.source->size() - 1);
    (void)array.device_names();
  }
}
