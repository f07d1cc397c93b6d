#include "fs/tsk/exfat_set.h"

namespace icecore::fs::tsk {
namespace {

constexpr std::uint64_t kEntry = 32;
constexpr std::byte kInUse{0x80};
constexpr std::byte kFile{0x05}, kStream{0x40};  // entry types without the in-use bit
constexpr std::byte kNoFatChain{0x02};
constexpr std::size_t kFewestSecondary = 2, kMostSecondary = 18;  // the stream extension and 1 to 17 pieces of the name

std::byte kind_of(std::byte type) { return type & ~kInUse; }

// Section 6.3.3, over the set as it was while it lived.
std::uint16_t checksum_of(ByteView set) {
  std::uint16_t sum = 0;
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (i == 2 || i == 3) continue;  // the checksum itself
    const std::byte byte = i % kEntry == 0 ? set[i] | kInUse : set[i];
    sum = static_cast<std::uint16_t>(((sum & 1U) << 15U) + (sum >> 1U) + std::to_integer<unsigned>(byte));
  }
  return sum;
}

bool is_whole(ByteView set) {
  for (std::size_t at = kEntry; at < set.size(); at += kEntry)
    if ((set[at] & kInUse) != (set[0] & kInUse)) return false;
  return checksum_of(set) == load_le<std::uint16_t>(set, 2);
}

}  // namespace

Result<std::optional<ExfatSet>> read_exfat_set(const image::BlockSource& source, const FatGeometry& geometry, std::uint64_t inode) {
  const std::optional<ExfatSet> unknown;
  const std::uint64_t heap = geometry.clusters * geometry.cluster_size;
  if (!geometry.exfat || inode < 3 || heap < 2 * kEntry || inode - 3 > heap / kEntry - 2) return unknown;
  const std::uint64_t at = geometry.entry_offset(inode), end = geometry.data_offset + heap;
  Bytes head(2 * kEntry);
  ICECORE_CHECK(source.read(at, head));
  if (kind_of(head[0]) != kFile || kind_of(head[kEntry]) != kStream || ((head[0] ^ head[kEntry]) & kInUse) != std::byte{0}) return unknown;
  const auto secondary = std::to_integer<std::size_t>(head[1]);
  if (secondary < kFewestSecondary || secondary > kMostSecondary) return unknown;
  Bytes whole((1 + secondary) * kEntry);
  bool checked = false;
  if (end - at >= whole.size()) {
    ICECORE_CHECK(source.read(at, whole));
    checked = is_whole(whole);
  }
  const std::uint64_t place = (at - geometry.data_offset) % geometry.cluster_size;
  if (!checked && place + 2 * kEntry > geometry.cluster_size) return unknown;
  const ByteView stream = ByteView(head).subspan(kEntry);
  ExfatSet set{(stream[1] & kNoFatChain) != std::byte{0}, load_le<std::uint32_t>(stream, 20), load_le<std::uint64_t>(stream, 24),
               load_le<std::uint64_t>(stream, 8), checked};
  if (set.written > set.size) return unknown;
  return std::optional<ExfatSet>(set);
}

std::vector<Extent> extents_in_one_piece(const FatGeometry& geometry, const ExfatSet& set) {
  std::vector<Extent> extents;
  if (set.size == 0 || set.first_cluster < 2) return extents;
  const std::uint64_t before = set.first_cluster - 2;
  if (before >= geometry.clusters || set.size > (geometry.clusters - before) * geometry.cluster_size) return extents;
  const std::uint64_t start = geometry.data_offset + before * geometry.cluster_size;
  if (set.written > 0) extents.push_back({0, start, set.written, false});
  if (set.written < set.size) extents.push_back({set.written, start + set.written, set.size - set.written, true});
  return extents;
}

}  // namespace icecore::fs::tsk
