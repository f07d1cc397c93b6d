// jbd2, the journal of ext3 and ext4, as it lies on disk. Big-endian throughout.
// References: Linux Documentation/filesystems/ext4/journal.rst, include/linux/jbd2.h, fs/jbd2/recovery.c.
#pragma once

#include <cstddef>
#include <cstdint>

namespace icecore::fs::ext4::jbd2 {

inline constexpr std::uint32_t kMagic = 0xC03B3998;
/// The same on disk: what escaped blocks began with.
inline constexpr std::byte kMagicBytes[4] = {std::byte{0xC0}, std::byte{0x3B}, std::byte{0x39}, std::byte{0x98}};
inline constexpr std::size_t kHeaderSize = 12;  // h_magic, h_blocktype, h_sequence

enum BlockType : std::uint32_t { kDescriptor = 1, kCommit = 2, kSuperblockV1 = 3, kSuperblockV2 = 4, kRevoke = 5 };

// journal_superblock_t: s_*
namespace super_field {
inline constexpr std::size_t kBlockSize = 0x0C, kMaxLength = 0x10, kFirst = 0x14, kSequence = 0x18, kStart = 0x1C, kFeatureCompat = 0x24,
                             kFeatureIncompat = 0x28, kUuid = 0x30, kChecksumType = 0x50, kFastCommitBlocks = 0x54, kChecksum = 0xFC;
inline constexpr std::size_t kSize = 1024;
}  // namespace super_field

inline constexpr std::uint32_t kCompatChecksum = 0x1;
inline constexpr std::uint32_t kIncompatRevoke = 0x1, kIncompat64Bit = 0x2, kIncompatAsyncCommit = 0x4, kIncompatChecksumV2 = 0x8,
                               kIncompatChecksumV3 = 0x10, kIncompatFastCommit = 0x20;
inline constexpr std::uint32_t kIncompatKnown = 0x3F;

// journal_block_tag_t and journal_block_tag3_t: t_flags is at 6 in both (big-endian low half of the 32-bit field in v3)
inline constexpr std::size_t kTagFlags = 6, kTagChecksumV2 = 4, kTagBlockHigh = 8, kTag3Checksum = 12;
inline constexpr std::uint16_t kTagEscaped = 1, kTagSameUuid = 2, kTagLast = 8;

// struct commit_header
inline constexpr std::size_t kCommitChecksumType = 12, kCommitChecksumSize = 13, kCommitChecksum = 16, kCommitSeconds = 48;

inline constexpr std::size_t kRevokeCount = 12, kRevokeRecords = 16;
inline constexpr std::uint32_t kDefaultFastCommitBlocks = 256;

}  // namespace icecore::fs::ext4::jbd2
