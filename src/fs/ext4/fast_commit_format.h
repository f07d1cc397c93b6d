// Fast commits as they lie behind the journal's log: tags of type, length, value. Little-endian. fs/ext4/fast_commit.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace icecore::fs::ext4::fast_commit {

enum Tag : std::uint16_t { kAddRange = 1, kDelRange = 2, kCreate = 3, kLink = 4, kUnlink = 5, kInode = 6, kPad = 7, kTail = 8, kHead = 9 };

inline constexpr std::size_t kTagHeader = 4;      // struct ext4_fc_tl: fc_tag, fc_len
inline constexpr std::size_t kHeadSize = 8;       // fc_features, fc_tid
inline constexpr std::size_t kTailSize = 8;       // fc_tid, fc_crc; its length covers the rest of the block
inline constexpr std::size_t kAddRangeSize = 16;  // fc_ino, struct ext4_extent
inline constexpr std::size_t kDelRangeSize = 12;  // fc_ino, fc_lblk, fc_len
inline constexpr std::size_t kEntrySize = 8;      // fc_parent_ino, fc_ino, then the name
inline constexpr std::size_t kInodeSize = 4;      // fc_ino, then the record

}  // namespace icecore::fs::ext4::fast_commit
