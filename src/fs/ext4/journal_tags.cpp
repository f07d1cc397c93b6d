#include "fs/ext4/journal_tags.h"

#include "core/hash.h"

namespace icecore::fs::ext4 {
namespace {

// CRC-32C of a block with the four bytes at `at` taken as zero.
std::uint32_t checksum_without(std::uint32_t seed, ByteView block, std::size_t at) {
  static constexpr std::byte kZero[4]{};
  return crc32c(crc32c(crc32c(seed, block.first(at)), kZero), block.subspan(at + 4));
}

JournalTag decode_tag(const JournalSuperblock& sb, ByteView tag, std::uint32_t sequence) {
  JournalTag result;
  result.block = load_be<std::uint32_t>(tag, 0);
  if (sb.has(jbd2::kIncompat64Bit)) result.block |= std::uint64_t{load_be<std::uint32_t>(tag, jbd2::kTagBlockHigh)} << 32;
  result.checksum =
      sb.has(jbd2::kIncompatChecksumV3) ? load_be<std::uint32_t>(tag, jbd2::kTag3Checksum) : load_be<std::uint16_t>(tag, jbd2::kTagChecksumV2);
  result.escaped = (load_be<std::uint16_t>(tag, jbd2::kTagFlags) & jbd2::kTagEscaped) != 0;
  result.sequence = sequence;
  return result;
}

}  // namespace

bool decode_descriptor(const JournalSuperblock& sb, ByteView block, std::uint32_t at, std::uint64_t most, std::vector<JournalTag>& tags) {
  const auto sequence = load_be<std::uint32_t>(block, 8);
  std::uint64_t found = 0;
  for (std::size_t tag = jbd2::kHeaderSize; tag + sb.tag_bytes() <= block.size() - sb.tail_bytes();) {
    if (found >= most) return false;
    tags.push_back(decode_tag(sb, block.subspan(tag, sb.tag_bytes()), sequence));
    at = sb.next(at);
    tags.back().log_block = at;
    ++found;
    const auto flags = load_be<std::uint16_t>(block, tag + jbd2::kTagFlags);
    tag += sb.tag_bytes() + ((flags & jbd2::kTagSameUuid) == 0 ? 16 : 0);
    if ((flags & jbd2::kTagLast) != 0) break;
  }
  return true;
}

bool journal_block_checksum_ok(const JournalSuperblock& sb, ByteView block) {
  if (!sb.checksums()) return true;
  const std::size_t tail = block.size() - 4;
  return checksum_without(sb.checksum_seed, block, tail) == load_be<std::uint32_t>(block, tail);
}

bool journal_commit_checksum_ok(const JournalSuperblock& sb, ByteView block) {
  return !sb.checksums() || checksum_without(sb.checksum_seed, block, jbd2::kCommitChecksum) == load_be<std::uint32_t>(block, jbd2::kCommitChecksum);
}

bool journal_data_checksum_ok(const JournalSuperblock& sb, const JournalTag& tag, ByteView data) {
  if (!sb.checksums()) return true;
  std::byte sequence[4];
  for (std::size_t i = 0; i < 4; ++i) sequence[i] = static_cast<std::byte>(tag.sequence >> (24 - 8 * i));
  const std::uint32_t crc = crc32c(crc32c(sb.checksum_seed, sequence), data);
  return (sb.has(jbd2::kIncompatChecksumV3) ? crc : crc & 0xFFFFU) == tag.checksum;
}

}  // namespace icecore::fs::ext4
